"""Sends the first packets of flows, each with an identification of its own, and says when they have left.

Reads a line of JSON for each batch: a list of {"id", "source", "destination", "protocol", "port", "type"}. The identification
is IPv4's, or the flow label of IPv6; it is the source port, or the identifier of an echo request, too. The argument is the TTL, or hop limit.
"""

import ipaddress
import json
import socket
import struct
import sys

TCP, UDP, ICMP = 6, 17, 1
TTL = int(sys.argv[1])


def checksum(octets):
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def transport(packet, pseudo):
    protocol, number = packet["protocol"], packet["id"] & 0xFFFF
    if protocol == TCP:
        head, at = struct.pack("!HHIIBBHHH", number, packet["port"], 1, 0, 0x50, 2, 1024, 0, 0), 16
    elif protocol == UDP:
        head, at = struct.pack("!HHHH", number, packet["port"], 8, 0), 6
    else:
        head, at = struct.pack("!BBHHH", packet["type"], 0, 0, number, 1), 2
    covered = head if protocol == ICMP else pseudo(len(head)) + head
    return head[:at] + struct.pack("!H", checksum(covered) or 0xFFFF) + head[at + 2 :]


def send4(out, packet):
    source = ipaddress.ip_address(packet["source"]).packed
    destination = ipaddress.ip_address(packet["destination"]).packed
    protocol = packet["protocol"]
    body = transport(packet, lambda length: source + destination + struct.pack("!BBH", 0, protocol, length))
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), packet["id"], 0, TTL, protocol, 0)
    out.sendto(head + source + destination + body, (packet["destination"], 0))


def send6(out, packet):
    source = ipaddress.ip_address(packet["source"]).packed
    destination = ipaddress.ip_address(packet["destination"]).packed
    protocol = packet["protocol"]
    body = transport(packet, lambda length: source + destination + struct.pack("!II", length, protocol))
    head = struct.pack("!IHBB", 6 << 28 | packet["id"], len(body), protocol, TTL)
    out.sendto(head + source + destination + body, (packet["destination"], 0))


out4 = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
out6 = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
for line in sys.stdin:
    for packet in json.loads(line):
        try:
            if ":" in packet["destination"]:
                send6(out6, packet)
            else:
                send4(out4, packet)
        except PermissionError:
            pass  # What the sender's own host drops on its way out is told to the sender.
    print("sent", flush=True)
