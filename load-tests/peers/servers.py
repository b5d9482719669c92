"""Starts the servers that are compared, each pinned to a core, and reads what they cost: CPU time and resident memory of
all their processes. What must not live here: what is asked, and what is made of it."""
import os
import socket
import subprocess
import time

# As `load-tests/run` has it.
SERVER_CORE, GENERATOR_CORE = os.environ.get("LOAD_TESTS_SERVER_CORE", "0"), os.environ.get("LOAD_TESTS_GENERATOR_CORE", "1")
TICKS = os.sysconf("SC_CLK_TCK")
PORTS = range(int(os.environ.get("VAGLIO_BENCH_PEERS_PORT", "25000")), 65536)


class Failed(Exception):
    """Says what went wrong, and what to do."""


class Server:
    """A server of one or two processes, and where it listens."""

    def __init__(self, name, label, door, port):
        self.name, self.label, self.door, self.address = name, label, door, f"127.0.0.1:{port}"
        self.processes, self.disk = [], None

    def start(self, command, log, ready=None):
        """Starts one of its processes; waits until it says so, or until `ready` is true."""
        with open(log, "ab") as output:
            process = subprocess.Popen(["taskset", "-c", SERVER_CORE, *map(str, command)],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE if ready is None else output, stderr=output)
        self.processes.append(process)
        deadline = time.monotonic() + 180
        if ready is None:
            if process.stdout.readline().strip() != b"ready":
                raise Failed(f"{self.label} did not start; see {log}")
            return
        while True:
            # First whether it lives: somebody else's answer at its address would pass for its own.
            if process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"{self.label} did not start; see {log}")
            if ready():
                return
            time.sleep(0.1)

    def stop(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()

    def cpu(self):
        """CPU seconds so far, of all its processes."""
        total = 0
        for process in self.processes:
            with open(f"/proc/{process.pid}/stat", encoding="utf-8") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def resident(self):
        """Resident bytes of all its processes, mapped files included."""
        total = 0
        for process in self.processes:
            with open(f"/proc/{process.pid}/status", encoding="utf-8") as status:
                total += next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) * 1024
        return total


def answers(address, path="/health/ready"):
    """Whether an HTTP server says that it is ready."""
    host, port = address.split(":")
    try:
        with socket.create_connection((host, int(port)), timeout=2) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode())
            return b" 200 " in connection.recv(64)
    except OSError:
        return False


def free(port):
    """The port, if nobody listens there: the wrong server would be measured."""
    with socket.socket() as probe:
        # What ended a moment ago does not count as somebody.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Failed(f"port {port} of 127.0.0.1 is taken ({error.strerror}); choose others: VAGLIO_BENCH_PEERS_PORT=N") from None
    return port


def size_of(folder):
    """Bytes that a folder takes on disk (LMDB's file is longer than what is in it)."""
    return sum(os.stat(os.path.join(at, name)).st_blocks * 512 for at, _, names in os.walk(folder) for name in names)


class Stage:
    """Everything that runs, in a folder of its own."""

    def __init__(self, folder, vaglio, peers):
        self.folder, self.vaglio, self.peers, self.servers = folder, vaglio, peers, []
        self.ports, self.log = map(free, PORTS), os.path.join(folder, "servers.log")

    def at(self, name):
        return os.path.join(self.folder, name)

    def server(self, name, label, door="enrich"):
        server = Server(name, label, door, next(self.ports))
        self.servers.append(server)
        return server

    def stop(self):
        for server in self.servers:
            server.stop()

    def tell(self, *command):
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failed(f"{' '.join(map(str, command))} failed:\n{done.stderr}")

    def ours(self):
        """The real program; its HTTP door and its ARTF door."""
        server, artf = self.server("vaglio", "Vaglio"), self.server("vaglio-artf", "Vaglio, ARTF", "artf")
        with open(self.at("vaglio.yaml"), "w", encoding="utf-8") as config:
            config.write(f"data_dir: data\nserver: {{ http: {server.address}, grpc: {artf.address}, planner: "
                         f"127.0.0.1:{next(self.ports)}, workers: 1, max_queue_ms: 0 }}\n")
        command = [self.vaglio, "serve", "--no-build", "--config", self.at("vaglio.yaml")]
        server.start(command, self.log, lambda: answers(server.address))
        server.disk, artf.processes = size_of(self.at("data")), server.processes

    def redis(self, name, label):
        server, socket_path = self.server(name, label), self.at(f"{name}.sock")
        server.start(["redis-server", "--port", "0", "--unixsocket", socket_path, "--save", "", "--appendonly", "no"],
                     self.log, lambda: os.path.exists(socket_path))
        self.tell(self.peers, "fill", name, socket_path)
        server.start([self.peers, "serve", name, server.address, socket_path], self.log)

    def embedded(self, name, label):
        server, place = self.server(name, label), self.at(name)
        self.tell(self.peers, "fill", name, place)
        server.start([self.peers, "serve", name, server.address, place], self.log)
        server.disk = size_of(place)

    def plain(self, name, label, *arguments, door="enrich"):
        server = self.server(name, label, door)
        server.start([self.peers, "serve", name, server.address, *arguments], self.log)
