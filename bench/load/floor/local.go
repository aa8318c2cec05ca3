package main

import (
	"fmt"
	"sync"

	"larder/bench/load/wire"
)

type file struct {
	path  string
	ready bool
}

// files is LocalCache: it names files and never looks at them.
type files struct {
	folder string
	mutex  sync.Mutex
	names  map[string]*file
	ids    map[uint64]*file
	last   uint64
}

func newFiles(folder string) *files {
	return &files{folder: folder, names: map[string]*file{}, ids: map[uint64]*file{}}
}

func (f *files) get(request *wire.Get) (wire.Message, error) {
	name := request.Namespace + "\x00" + string(request.Key)
	f.mutex.Lock()
	defer f.mutex.Unlock()
	found := f.names[name]
	switch {
	case found != nil && !found.ready:
		return &wire.LocalReply{Status: wire.Loading}, nil
	case found == nil && !request.Assign:
		return &wire.LocalReply{Status: wire.Unassigned}, nil
	}
	f.last++
	if found != nil {
		f.ids[f.last] = found
		return &wire.LocalReply{Status: wire.Ready, ID: f.last, Path: found.path}, nil
	}
	made := &file{path: fmt.Sprintf("%s/%d", f.folder, f.last)}
	f.names[name], f.ids[f.last] = made, made
	return &wire.LocalReply{Status: wire.Assigned, ID: f.last, Path: made.path}, nil
}

func (f *files) heartbeat(request *wire.ID) (wire.Message, error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.ids[request.ID] == nil {
		return nil, invalidID()
	}
	return wire.Empty{}, nil
}

func (f *files) done(request *wire.ID) (wire.Message, error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	found := f.ids[request.ID]
	if found == nil {
		return nil, invalidID()
	}
	found.ready = true
	return wire.Empty{}, nil
}

func (f *files) drop(request *wire.ID) (wire.Message, error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.ids[request.ID] == nil {
		return nil, invalidID()
	}
	delete(f.ids, request.ID)
	return wire.Empty{}, nil
}
