package pcapfile

import (
	"fmt"
	"strings"
)

// A vector is a capture and what must come out of it.
type vector struct {
	name    string
	bytes   []byte
	packets string // a line "time len link data" each
	also    string // what stands in the statistics besides
	err     *InputError
}

var (
	usec9   = little.option(9, "\x09") // if_tsresol: nanoseconds
	aRecord = little.record(1, 2, 3, "abc")
	aSHB    = little.shb()
	anIDB   = little.idb(1, 0)
	anEPB   = little.epb(0, 1_000_002, 3, "abc")
)

const aLine = "1000002000 3 1 abc\n"

var pcapVectors = []vector{
	{name: "micro little", bytes: little.pcap(magicMicro, 1, aRecord), packets: aLine},
	{name: "micro big", bytes: big.pcap(magicMicro, 1, big.record(1, 2, 3, "abc")), packets: aLine},
	{name: "nano little", bytes: little.pcap(magicNano, 1, aRecord), packets: "1000000002 3 1 abc\n"},
	{name: "nano big", bytes: big.pcap(magicNano, 1, big.record(1, 2, 3, "abc")), packets: "1000000002 3 1 abc\n"},
	{
		name:    "latest time",
		bytes:   little.pcap(magicNano, 1, little.record(1<<32-1, 999_999_999, 0, "")),
		packets: "4294967295999999999 0 1 \n",
	},
	{
		name:    "modified: record headers of 24 bytes",
		bytes:   little.pcap(magicModified, 113, little.num(nil, 1, 2, 3, 4, "ifidprPT", "abc"), little.num(nil, 2, 0, 1, 1, "ifidprPT", "d")),
		packets: "1000002000 4 113 abc\n2000000000 1 113 d\n", also: "snapped 1",
	},
	{name: "no packets", bytes: little.pcap(magicMicro, 1)},
	{
		name:    "frame check sequence bits above the link type",
		bytes:   little.pcap(magicMicro, 0x5400_0114, aRecord),
		packets: "1000002000 3 276 abc\n",
	},
	{
		name:    "snapped, and captured beyond the length, which cannot be",
		bytes:   little.pcap(magicMicro, 1, little.record(1, 0, 1500, "abc"), little.record(2, 0, 1, "abc")),
		packets: "1000000000 1500 1 abc\n2000000000 3 1 abc\n", also: "snapped 1",
	},
	{
		name:    "version 2.2 has the lengths the other way round",
		bytes:   join(little.num(nil, magicMicro, uint16(2), uint16(2), 0, 0, 65535, 1), little.num(nil, 1, 2, 9, 3, "abc")),
		packets: "1000002000 9 1 abc\n", also: "snapped 1",
	},
	{
		name: "version 2.3 has them either way",
		bytes: join(little.num(nil, magicMicro, uint16(2), uint16(3), 0, 0, 65535, 1),
			little.num(nil, 1, 2, 9, 3, "abc"), little.num(nil, 1, 2, 3, 9, "abc")),
		packets: "1000002000 9 1 abc\n1000002000 9 1 abc\n", also: "snapped 2",
	},
	{
		name:    "version 543.0, too",
		bytes:   join(little.num(nil, magicMicro, uint16(543), uint16(0), 0, 0, 65535, 1), little.num(nil, 1, 2, 9, 3, "abc")),
		packets: "1000002000 9 1 abc\n", also: "snapped 1",
	},
	{
		name:    "other versions are read like 2.4",
		bytes:   join(little.num(nil, magicMicro, uint16(7), uint16(9), 0, 0, 65535, 1), aRecord),
		packets: aLine,
	},
	{
		name:    "times out of order",
		bytes:   little.pcap(magicMicro, 1, little.record(5, 0, 1, "a"), little.record(3, 0, 1, "b"), little.record(4, 0, 1, "c")),
		packets: "5000000000 1 1 a\n3000000000 1 1 b\n4000000000 1 1 c\n",
	},
	{
		name:    "absurd length",
		bytes:   little.pcap(magicMicro, 1, aRecord, little.num(nil, 1, 2, 0xffff_ffff, 3, "abc")),
		packets: aLine, err: &InputError{Kind: Corrupt, Offset: 43},
	},
	{
		name:    "length that is possible, but unusual and not there",
		bytes:   little.pcap(magicMicro, 1, aRecord, little.num(nil, 1, 2, usualFrame+1, usualFrame+1, "abc")),
		packets: aLine, err: &InputError{Kind: Corrupt, Offset: 43},
	},
	{
		name:    "usual length that is not there",
		bytes:   little.pcap(magicMicro, 1, aRecord, little.num(nil, 1, 2, usualFrame, usualFrame, "abc")),
		packets: aLine, err: &InputError{Kind: Cut, Offset: 43},
	},
}

var ngVectors = []vector{
	{name: "little", bytes: join(aSHB, anIDB, anEPB), packets: aLine},
	{name: "big", bytes: join(big.shb(), big.idb(1, 0), big.epb(0, 1_000_002, 3, "abc")), packets: aLine},
	{name: "no packets", bytes: aSHB},
	{
		name:    "sections of either byte order, each with its own interfaces",
		bytes:   join(aSHB, anIDB, anEPB, big.shb(), big.idb(101, 0, big.option(9, "\x09")), big.epb(0, 5, 3, "xyz"), aSHB, anIDB, anEPB),
		packets: aLine + "5 3 101 xyz\n" + aLine,
	},
	{
		name: "interfaces of different links and resolutions",
		bytes: join(aSHB, anIDB, little.idb(276, 0, usec9), little.idb(113, 0, little.option(9, "\x80")),
			little.epb(2, 7, 1, "c"), little.epb(0, 7, 1, "a"), little.epb(1, 7, 1, "b")),
		packets: "7000000000 1 113 c\n7000 1 1 a\n7 1 276 b\n",
	},
	{
		name: "offset in seconds, either sign",
		bytes: join(aSHB, little.idb(1, 0, usec9, little.option(14, "\x02\x00\x00\x00\x00\x00\x00\x00")),
			little.idb(1, 0, usec9, little.option(14, "\xff\xff\xff\xff\xff\xff\xff\xff")),
			little.epb(0, 1, 1, "a"), little.epb(1, 3e9, 1, "b")),
		packets: "2000000001 1 1 a\n2000000000 1 1 b\n",
	},
	{
		name: "simple packets: length from the first interface, time from the packet before",
		bytes: join(aSHB, little.idb(1, 2), anIDB, little.block(blockSimple, 3, "ab"), little.epb(1, 1_000_002, 3, "abc"),
			little.block(blockSimple, 1, "z")),
		packets: "0 3 1 ab\n" + aLine + "1000002000 1 1 z\n", also: "snapped 1",
	},
	{
		name:    "simple packet shorter than it says, without a snap length",
		bytes:   join(aSHB, anIDB, little.block(blockSimple, 9, "abcd")),
		packets: "0 9 1 abcd\n", also: "snapped 1",
	},
	{
		name: "obsolete packet block",
		bytes: join(aSHB, anIDB, little.idb(101, 0),
			little.block(blockPacket, uint16(1), uint16(0xffff), 0, 1_000_002, 3, 5, "abc")),
		packets: "1000002000 5 101 abc\n", also: "snapped 1",
	},
	{
		name: "secrets of TLS are kept in order, others are not",
		bytes: join(aSHB, little.dsb(secretsTLS, "one"), little.dsb(0x57474b4c, "wireguard"), anIDB, anEPB,
			little.dsb(secretsTLS, "second"), little.dsb(secretsTLS, "")),
		packets: aLine, also: `secrets ["one" "second"]`,
	},
	{
		name: "drops: the latest of each interface, over all sections",
		bytes: join(aSHB, anIDB, anIDB,
			little.isb(0, little.option(5, "\x03\x00\x00\x00\x00\x00\x00\x00"), little.option(7, "\x04\x00\x00\x00\x00\x00\x00\x00")),
			little.isb(1, little.option(4, "\x09\x00\x00\x00\x00\x00\x00\x00"), little.option(5, "\x10\x00\x00\x00\x00\x00\x00\x00")),
			little.isb(0, little.option(5, "\x05\x00\x00\x00\x00\x00\x00\x00"), little.option(7, "\xff\xff\xff\xff\xff\xff\xff\xff")),
			little.isb(7, little.option(5, "\x05\x00\x00\x00\x00\x00\x00\x00")),
			big.shb(), big.idb(1, 0), big.isb(0, big.option(7, "\x00\x00\x00\x00\x00\x00\x01\x00"))),
		also: "drops 281",
	},
	{name: "statistics that say nothing", bytes: join(aSHB, anIDB, little.isb(0), little.isb(0, little.option(5, "\x01")))},
	{name: "statistics that say nothing was missed", bytes: join(aSHB, anIDB, little.isb(0, little.option(7, strings.Repeat("\x00", 8)))), also: "drops 0"},
	{
		name: "unknown blocks, also longer than the window, are skipped",
		bytes: join(aSHB, little.block(4, "names"), little.block(0x0bae, strings.Repeat("x", blockSize+100)), anIDB,
			little.block(0x8000_0001, "local"), anEPB),
		packets: aLine,
	},
	{
		name:    "packet longer than the window",
		bytes:   join(aSHB, anIDB, anEPB, little.epb(0, 0, blockSize+1, strings.Repeat("y", blockSize+1)), anEPB),
		packets: aLine + fmt.Sprintf("0 %d 1 %s\n", blockSize+1, strings.Repeat("y", blockSize+1)) + aLine,
	},
	{
		name:    "options behind the packet, and options that end early",
		bytes:   join(aSHB, little.idb(1, 0, little.option(0, ""), usec9), little.epb(0, 1_000_002, 3, "abc", little.option(1, "a comment"))),
		packets: aLine,
	},
	{
		name:    "options that claim more than the block holds",
		bytes:   join(aSHB, little.idb(1, 0, little.num(nil, uint16(9), uint16(500))), anEPB),
		packets: aLine,
	},
	{
		name:    "length at the end that differs is of no use to us",
		bytes:   join(aSHB, anIDB, anEPB[:len(anEPB)-4], little.num(nil, 77), anEPB),
		packets: aLine + aLine,
	},
	{
		name: "length without the padding that is there",
		bytes: join(aSHB, anIDB, little.num(nil, blockEnhanced, 35, 0, 0, 1_000_002, 3, 3, "abc\x00", 35),
			anEPB),
		packets: aLine + aLine,
	},
	{
		name:    "length without padding, and without it in the file",
		bytes:   join(aSHB, anIDB, little.num(nil, blockEnhanced, 35, 0, 0, 1_000_002, 3, 3, "abc", 35), anEPB),
		packets: aLine + aLine,
	},
	{name: "block too short", bytes: join(aSHB, anIDB, anEPB, little.num(nil, 4, 8, 8)), packets: aLine, err: &InputError{Kind: Corrupt, Offset: 84}},
	{name: "block too short for its type", bytes: join(aSHB, little.num(nil, blockInterface, 12, 12)), err: &InputError{Kind: Corrupt, Offset: 28}},
	{name: "packet block of 2 GB", bytes: join(aSHB, anIDB, little.num(nil, blockEnhanced, 1<<31, 0)), err: &InputError{Kind: Corrupt, Offset: 48}},
	{name: "unknown block of 2 GB", bytes: join(aSHB, anIDB, little.num(nil, 99, 1<<31, 0)), err: &InputError{Kind: Cut, Offset: 48}},
	{name: "captured length of 4 GB", bytes: join(aSHB, anIDB, little.block(blockEnhanced, 0, 0, 0, 1<<32-1, 3, "abc")), err: &InputError{Kind: Corrupt, Offset: 48}},
	{name: "interface nobody described", bytes: join(aSHB, anIDB, little.epb(1, 0, 3, "abc")), err: &InputError{Kind: Corrupt, Offset: 48}},
	{name: "interface of the section before", bytes: join(aSHB, anIDB, aSHB, anEPB), err: &InputError{Kind: Corrupt, Offset: 76}},
	{name: "simple packet without interface", bytes: join(aSHB, little.block(blockSimple, 1, "a")), err: &InputError{Kind: Corrupt, Offset: 28}},
	{name: "secrets longer than their block", bytes: join(aSHB, little.block(blockSecrets, secretsTLS, 99, "abc")), err: &InputError{Kind: Corrupt, Offset: 28}},
	{name: "section without byte order", bytes: join(aSHB, anIDB, anEPB, little.block(blockSection, 0, uint16(1), uint16(0), ^uint64(0))), packets: aLine, err: &InputError{Kind: Corrupt, Offset: 84}},
	{name: "section too short", bytes: join(aSHB, little.num(nil, blockSection, 16, byteOrderMagic, 1)), err: &InputError{Kind: Corrupt, Offset: 28}},
	{name: "section of a version that is not known", bytes: join(aSHB, anIDB, anEPB, little.block(blockSection, byteOrderMagic, uint16(2), uint16(0), ^uint64(0)), anIDB, anEPB), packets: aLine, err: &InputError{Kind: Corrupt, Offset: 84}},
}
