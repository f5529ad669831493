"""Sends one UDP packet, or neighbour message, with addresses of the caller's choice: INTERFACE SOURCE-MAC SOURCE DESTINATION-MAC DESTINATION ID."""

import ipaddress
import socket
import struct
import sys

interface, source_mac, source, destination_mac, destination, number = sys.argv[1:]


def checksum(octets):
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


src, dst = (ipaddress.ip_address(text).packed for text in (source, destination))
ident = int(number)
udp = struct.pack("!HHHH", 5000, 5000, 8, 0)
if len(src) == 4:
    total = checksum(src + dst + struct.pack("!BBH", 0, 17, 8) + udp) or 0xFFFF
    udp = udp[:6] + struct.pack("!H", total)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 28, ident, 0, 77, 17, 0) + src + dst
    packet = head[:10] + struct.pack("!H", checksum(head)) + head[12:] + udp
    kind = 0x0800
else:
    total = checksum(src + dst + struct.pack("!II", 8, 17) + udp) or 0xFFFF
    udp = udp[:6] + struct.pack("!H", total)
    packet = struct.pack("!IHBB", 6 << 28 | ident, 8, 17, 77) + src + dst + udp
    kind = 0x86DD
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind((interface, 0))
out.send(mac(destination_mac) + mac(source_mac) + struct.pack("!H", kind) + packet)
