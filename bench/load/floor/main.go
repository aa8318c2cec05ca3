// Command floor is what the bench measures against: RemoteCache and Publish
// in memory, on grpc-go, with no thought of disks, leases or limits. It announces
// itself as the server does, and stops with SIGTERM.
package main

import (
	"context"
	"fmt"
	"net"
	"os"

	"google.golang.org/grpc"

	"larder/bench/load/wire"
)

const (
	maxMessageBytes = 64 << 20
	// publishWindow is the fixed window that Publish is measured against.
	publishWindow = 1 << 20
)

func main() {
	remote := newStore()
	plain := listen(remote)
	windowed := listen(remote,
		grpc.StaticStreamWindowSize(publishWindow), grpc.StaticConnWindowSize(publishWindow))
	fmt.Printf("larder: RemoteCache on %s\n", plain)
	fmt.Printf("larder: Publish on %s\n", windowed)
	fmt.Println("larder: ready")
	select {}
}

// listen serves everything on a port of its own, and returns its address.
func listen(remote *store, options ...grpc.ServerOption) string {
	server := grpc.NewServer(append(options,
		grpc.ForceServerCodecV2(wire.Codec{}),
		grpc.MaxRecvMsgSize(maxMessageBytes), grpc.MaxSendMsgSize(maxMessageBytes))...)
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "remote.RemoteCache",
		Methods: []grpc.MethodDesc{
			unary("Get", remote.get), unary("Heartbeat", remote.heartbeat), unary("Set", remote.set),
		},
	}, nil)
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "larder.v1.Cache",
		Streams:     []grpc.StreamDesc{{StreamName: "Publish", ClientStreams: true, Handler: publish}},
	}, nil)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go server.Serve(listener)
	return listener.Addr().String()
}

// parser is a pointer to a message of the wire.
type parser[Request any] interface {
	*Request
	wire.Parser
}

// unary describes a method by what it does.
func unary[Request any, P parser[Request]](name string, handle func(P) (wire.Message, error)) grpc.MethodDesc {
	return grpc.MethodDesc{
		MethodName: name,
		Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			request := P(new(Request))
			if err := decode(request); err != nil {
				return nil, err
			}
			return handle(request)
		},
	}
}
