package main

import (
	"math/rand/v2"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"larder/bench/load/wire"
)

// maxStoreBytes bounds what a long run of Sets leaves: the oldest goes first.
// What is read stays for good, and does not count.
const maxStoreBytes = 256 << 20

type entry struct {
	name  string
	id    uint64
	ready bool
	read  bool
	value []byte
}

// store is RemoteCache.
type store struct {
	mutex  sync.Mutex
	names  map[string]*entry
	ids    map[uint64]*entry
	oldest []*entry
	bytes  int
}

func newStore() *store {
	return &store{names: map[string]*entry{}, ids: map[uint64]*entry{}}
}

func invalidID() error {
	return status.Error(codes.InvalidArgument, "invalid assignment id")
}

func (s *store) get(request *wire.Get) (wire.Message, error) {
	name := request.Namespace + "\x00" + string(request.Key)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	found := s.names[name]
	switch {
	case found != nil && found.ready:
		found.read = true
		return &wire.RemoteReply{Status: wire.Ready, Value: found.value}, nil
	case found != nil:
		return &wire.RemoteReply{Status: wire.Loading}, nil
	case !request.Assign:
		return &wire.RemoteReply{Status: wire.Unassigned}, nil
	}
	made := &entry{name: name, id: rand.Uint64()>>1 | 1}
	s.names[name], s.ids[made.id] = made, made
	return &wire.RemoteReply{Status: wire.Assigned, ID: made.id}, nil
}

func (s *store) heartbeat(request *wire.ID) (wire.Message, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.ids[request.ID] == nil {
		return nil, invalidID()
	}
	return wire.Empty{}, nil
}

func (s *store) set(request *wire.Set) (wire.Message, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	found := s.ids[request.ID]
	if found == nil {
		return nil, invalidID()
	}
	if found.ready {
		return wire.Empty{}, nil
	}
	found.ready, found.value = true, request.Value
	s.oldest = append(s.oldest, found)
	s.bytes += len(found.value)
	for s.bytes > maxStoreBytes {
		gone := s.oldest[0]
		s.oldest = s.oldest[1:]
		s.bytes -= len(gone.value)
		if gone.read {
			continue
		}
		delete(s.names, gone.name)
		delete(s.ids, gone.id)
	}
	return wire.Empty{}, nil
}
