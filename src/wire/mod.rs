//! Generated protobuf and the one table of codes -> gRPC, HTTP and nbr. Only hooks, planner, server and cli may import it.
