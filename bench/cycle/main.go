// Command cycle calls a cache server the way clients do, in steps that depend
// on each other, which h2load cannot do. It prints one line of JSON.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"sync"
	"time"
)

// result is what the run measured after its warm-up.
type result struct {
	Done       int     `json:"done"`
	Seconds    float64 `json:"seconds"`
	Errors     int     `json:"errors"`
	FirstError string  `json:"firstError,omitempty"`
	P50Ms      float64 `json:"p50Ms"`
	P99Ms      float64 `json:"p99Ms"`
}

// tally is what one caller saw.
type tally struct {
	took   []time.Duration
	errors int
	first  error
}

func main() {
	target := flag.String("target", "", "host:port of the server")
	work := flag.String("work", "miss", "miss, local or connect")
	callers := flag.Int("callers", 32, "cycles under way at once")
	connections := flag.Int("connections", 8, "connections the callers share")
	namespace := flag.String("namespace", "bench", "namespace of the entries")
	key := flag.String("key", "", "connect: key of a ready entry; else prefix of the keys")
	size := flag.Int("size", 1024, "bytes of a value")
	warmup := flag.Duration("warmup", 500*time.Millisecond, "time that is not measured")
	duration := flag.Duration("duration", 3*time.Second, "time that is measured")
	flag.Parse()

	options := cycleOptions{
		target: *target, namespace: *namespace, key: *key, value: make([]byte, *size),
	}
	cycle, err := newCycle(*work, *connections, options)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	begin := time.Now().Add(*warmup)
	end := begin.Add(*duration)
	tallies := make([]tally, *callers)
	var all sync.WaitGroup
	for caller := range tallies {
		all.Go(func() { tallies[caller] = call(cycle, caller, begin, end) })
	}
	all.Wait()
	if err := json.NewEncoder(os.Stdout).Encode(sum(tallies, *duration)); err != nil {
		os.Exit(1)
	}
}

// call runs cycles until end; those that finish between begin and end count.
func call(cycle cycle, caller int, begin, end time.Time) tally {
	var seen tally
	for number := 0; ; number++ {
		start := time.Now()
		if start.After(end) {
			return seen
		}
		err := cycle(caller, number)
		now := time.Now()
		if err != nil {
			seen.errors++
			if seen.first == nil {
				seen.first = err
			}
			// A server that refuses everything is not to be measured by its speed.
			time.Sleep(10 * time.Millisecond)
		} else if now.After(begin) && now.Before(end) {
			seen.took = append(seen.took, now.Sub(start))
		}
	}
}

func sum(tallies []tally, duration time.Duration) result {
	total := result{Seconds: duration.Seconds()}
	var took []time.Duration
	for _, seen := range tallies {
		took = append(took, seen.took...)
		total.Errors += seen.errors
		if seen.first != nil && total.FirstError == "" {
			total.FirstError = seen.first.Error()
		}
	}
	total.Done = len(took)
	if len(took) == 0 {
		return total
	}
	sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
	at := func(share float64) float64 {
		return took[int(share*float64(len(took)-1))].Seconds() * 1000
	}
	total.P50Ms, total.P99Ms = at(0.50), at(0.99)
	return total
}
