// Command load calls a cache server the way clients do: with grpc-go, one unit
// of work after the other. It prints one line of JSON.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	var o options
	flag.StringVar(&o.target, "target", "", "host:port of the server")
	work := flag.String("work", "hit", "see works.go")
	flag.IntVar(&o.callers, "callers", 1, "units of work under way at once")
	flag.IntVar(&o.connections, "connections", 1, "connections the callers share")
	flag.StringVar(&o.namespace, "namespace", "bench", "namespace of the entries")
	flag.StringVar(&o.key, "key", "", "hit, connect, burst: key of a ready entry; else prefix of the keys")
	flag.IntVar(&o.size, "size", 1024, "bytes of a value")
	flag.StringVar(&o.token, "token", "", "what callers say who they are by")
	delay := flag.Duration("delay", 0, "what a proxy before the server adds each way")
	warmup := flag.Duration("warmup", 500*time.Millisecond, "time that is not measured")
	duration := flag.Duration("duration", 3*time.Second, "time that is measured")
	flag.Parse()

	if err := run(*work, o, *delay, *warmup, *duration); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(work string, o options, delay, warmup, duration time.Duration) error {
	if delay > 0 {
		near, err := delayed(o.target, delay)
		if err != nil {
			return err
		}
		o.target = near
	}
	unit, err := newUnit(work, o)
	if err != nil {
		return err
	}
	before := measure(unit, o.callers, warmup)
	failed.Store(0)
	measured := measure(unit, o.callers, duration)
	measured.Failed = failed.Load()
	measured.All = before.Done + measured.Done
	return json.NewEncoder(os.Stdout).Encode(measured)
}
