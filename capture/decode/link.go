package decode

import (
	"strconv"

	"expectscope/capture"
)

// A linkLayer is how frames of one link type are decoded.
type linkLayer struct {
	name   string
	decode step
}

// links is the table of link types that are decoded; register fills it during
// initialization and nobody changes it after that.
var links = map[capture.LinkType]linkLayer{}

// register puts a link type into the table. A file registers what it decodes
// with `var _ = register(…)`.
func register(l capture.LinkType, name string, s step) bool {
	if _, taken := links[l]; taken {
		panic("decode: two decoders for link type " + name)
	}
	links[l] = linkLayer{name, s}
	return true
}

// Decodes tells whether frames of the link type are decoded.
func Decodes(l capture.LinkType) bool {
	_, ok := links[l]
	return ok
}

// LinkName names a link type as tcpdump.org's registry does, decoded or not;
// one that is not well known is "link type N".
func LinkName(l capture.LinkType) string {
	if k, ok := links[l]; ok {
		return k.name
	}
	if name, ok := foreign[l]; ok {
		return name
	}
	return "link type " + strconv.Itoa(int(l))
}

// link decodes a frame of the given link type.
func (d *Decoder) link(l capture.LinkType, v view, s *Segment) Kind {
	k, ok := links[l]
	if !ok {
		d.stats.LinkTypes[l]++
		return UnknownLink
	}
	return k.decode(d, v, s)
}

// foreign names well-known link types that are not decoded, for the message
// that says so (https://www.tcpdump.org/linktypes.html).
var foreign = map[capture.LinkType]string{
	3:   "AX.25",
	6:   "Token Ring",
	7:   "ARCNET",
	8:   "SLIP",
	10:  "FDDI",
	100: "ATM RFC 1483",
	105: "802.11",
	107: "Frame Relay",
	119: "802.11 with Prism header",
	127: "802.11 with radiotap header",
	129: "Linux ARCNET",
	138: "IP over IEEE 1394",
	143: "DOCSIS",
	163: "802.11 with AVS header",
	165: "BACnet MS/TP",
	166: "Linux PPP with direction",
	187: "Bluetooth HCI H4",
	189: "Linux USB",
	192: "PPI",
	195: "IEEE 802.15.4",
	201: "Bluetooth HCI H4 with direction",
	220: "Linux USB, padded",
	227: "SocketCAN",
	230: "IEEE 802.15.4 without FCS",
	231: "D-Bus",
	240: "NetANALYZER",
	249: "USBPcap",
	251: "Bluetooth LE",
	252: "Wireshark upper PDU",
	253: "Linux netlink",
	254: "Bluetooth Linux monitor",
	271: "vsock monitor",
	272: "nRF sniffer",
	274: "Ethernet mPacket",
	283: "IEEE 802.15.4 TAP",
}
