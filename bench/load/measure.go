package main

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// unit is one unit of work: the number-th of all. It returns how long the part
// took that a client waits for.
type unit func(caller int, number int64) (time.Duration, error)

// result is what a run measured.
type result struct {
	Done       int     `json:"done"`
	All        int     `json:"all"` // the warm-up's as well
	Seconds    float64 `json:"seconds"`
	Errors     int     `json:"errors"`
	FirstError string  `json:"firstError,omitempty"`
	Failed     int64   `json:"failed"`
	P50Ms      float64 `json:"p50Ms"`
	P99Ms      float64 `json:"p99Ms"`
}

// tally is what one caller saw.
type tally struct {
	took   []time.Duration
	errors int
	first  error
}

// numbers makes sure that no two units have the same one.
var numbers atomic.Int64

// measure lets callers work until the time is over. Each finishes what it has
// begun, and the time goes on until the last has: units may be long.
func measure(work unit, callers int, duration time.Duration) result {
	begin := time.Now()
	end := begin.Add(duration)
	tallies := make([]tally, callers)
	var all sync.WaitGroup
	for caller := range tallies {
		all.Go(func() { tallies[caller] = call(work, caller, end) })
	}
	all.Wait()
	return sum(tallies, time.Since(begin))
}

func call(work unit, caller int, end time.Time) tally {
	var seen tally
	for time.Now().Before(end) {
		took, err := work(caller, numbers.Add(1))
		if err == nil {
			seen.took = append(seen.took, took)
			continue
		}
		seen.errors++
		if seen.first == nil {
			seen.first = err
		}
		// A server that refuses everything is not to be measured by its speed.
		time.Sleep(10 * time.Millisecond)
	}
	return seen
}

func sum(tallies []tally, elapsed time.Duration) result {
	total := result{Seconds: elapsed.Seconds()}
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
	slices.Sort(took)
	at := func(share float64) float64 {
		return took[int(share*float64(len(took)-1))].Seconds() * 1000
	}
	total.P50Ms, total.P99Ms = at(0.50), at(0.99)
	return total
}
