package main

import (
	"net"
	"time"
)

// chunk is what was read at once, and when it may go on.
type chunk struct {
	due   time.Time
	bytes []byte
}

const (
	chunkBytes = 64 << 10
	// chunks on their way: more than any window holds.
	chunksUnderWay = 4096
)

// delayed listens for connections, passes them on to the target, every byte
// late by delay in each direction, and returns where it listens.
func delayed(target string, delay time.Duration) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", target)
			if err != nil {
				near.Close()
				continue
			}
			go pass(near, far, delay)
			go pass(far, near, delay)
		}
	}()
	return listener.Addr().String(), nil
}

func pass(from, to net.Conn, delay time.Duration) {
	underWay := make(chan chunk, chunksUnderWay)
	go func() {
		defer close(underWay)
		for {
			bytes := make([]byte, chunkBytes)
			n, err := from.Read(bytes)
			if err != nil {
				return
			}
			underWay <- chunk{time.Now().Add(delay), bytes[:n]}
		}
	}()
	defer to.Close()
	for next := range underWay {
		time.Sleep(time.Until(next.due))
		if _, err := to.Write(next.bytes); err != nil {
			from.Close()
			break
		}
	}
	// The reader is not to wait for room that nobody makes.
	for range underWay {
	}
}
