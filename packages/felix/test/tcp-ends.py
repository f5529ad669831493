"""Ends of TCP connections for tests.

serve PORT                tells every client its address and port as the server sees them; says "ready" first
ask ADDRESS PORT [COUNT]  opens as many connections at once and prints what each is told, or "refused" or "timeout"
"""

import socket
import sys
import threading

DEADLINE_SECONDS = 2


def serve(port):
    server = socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    print("ready", flush=True)
    while True:
        client, (address, number, *_) = server.accept()
        client.sendall(f"{address.removeprefix('::ffff:')} {number}\n".encode())
        # Open until the client goes.
        threading.Thread(target=lambda end: end.recv(1) or end.close(), args=(client,), daemon=True).start()


def ask(address, port, count):
    clients = []
    for _ in range(count):
        try:
            client = socket.create_connection((address, port), timeout=DEADLINE_SECONDS)
            clients.append(client)
            print(client.makefile().readline().strip())
        except TimeoutError:
            print("timeout")
        except OSError:
            print("refused")


command, *args = sys.argv[1:]
if command == "serve":
    serve(int(args[0]))
else:
    ask(args[0], int(args[1]), int(args[2]) if len(args) > 2 else 1)
