package filter

import "golang.org/x/net/bpf"

// Protocols of IP, as the field before the payload numbers them.
const (
	protoICMP     = 1
	protoTCP      = 6
	protoUDP      = 17
	protoFragment = 44
	protoICMPv6   = 58
	protoSCTP     = 132
)

// A protocol is what a protocol's keyword stands for.
type protocol struct {
	// ethertype is a network protocol's; else number is a protocol of IP.
	ethertype, number uint32
	// v4 and v6: the keyword means the protocol over this one.
	v4, v6 bool
	// indexed: name[offset] reads the protocol's header.
	indexed bool
	// ports: port and portrange can follow the keyword.
	ports bool
}

// linkKeyword is the key of the link itself in protocols.
const linkKeyword = "ether"

var protocols = map[string]protocol{
	linkKeyword: {indexed: true},
	"link":      {indexed: true},
	"ip":        {ethertype: typeIPv4, indexed: true},
	"ip6":       {ethertype: typeIPv6, indexed: true},
	"arp":       {ethertype: typeARP, indexed: true},
	"rarp":      {ethertype: typeRARP, indexed: true},
	"tcp":       {number: protoTCP, v4: true, v6: true, indexed: true, ports: true},
	"udp":       {number: protoUDP, v4: true, v6: true, indexed: true, ports: true},
	"sctp":      {number: protoSCTP, v4: true, v6: true, indexed: true, ports: true},
	"icmp":      {number: protoICMP, v4: true, indexed: true},
	"icmp6":     {number: protoICMPv6, v6: true, indexed: true},
	"igmp":      {number: 2, v4: true, indexed: true},
	"igrp":      {number: 9, v4: true, indexed: true},
	"pim":       {number: 103, v4: true, v6: true, indexed: true},
	"vrrp":      {number: 112, v4: true, indexed: true},
	"carp":      {number: 112, v4: true, indexed: true},
	"esp":       {number: 50, v4: true, v6: true},
	"ah":        {number: 51, v4: true, v6: true},
}

// ipProtocols are the names that can follow proto. Those that are keywords too
// are written with a backslash.
var ipProtocols = map[string]uint32{
	"icmp": protoICMP, "igmp": 2, "tcp": protoTCP, "udp": protoUDP, "gre": 47, "esp": 50, "ah": 51,
	"ipv6-icmp": protoICMPv6, "eigrp": 88, "ospf": 89, "pim": 103, "vrrp": 112, "l2tp": 115, "sctp": protoSCTP,
}

// etherProtocols are the names that can follow ether proto, with a backslash
// where they are keywords too.
var etherProtocols = map[string]uint32{
	"ip": typeIPv4, "ip6": typeIPv6, "arp": typeARP, "rarp": typeRARP, "loopback": 0x9000,
}

// keywords are the words of the language that are no protocols.
var keywords = words(`and or not src dst host net mask port portrange proto
	len less greater broadcast multicast inbound outbound vlan mpls pppoed pppoes`)

// refused are words that tcpdump knows and this package does not.
var refused = words(`gateway protochain byte ifindex geneve on ifname rnr rulenum reason rset ruleset
	srnr subrulenum action type subtype dir direction ra ta addr1 addr2 addr3 addr4
	fddi tr wlan ppp slip radio atalk aarp decnet lat sca moprc mopdl iso clnp esis es-is isis is-is
	l1 l2 iih lsp snp csnp psnp stp ipx netbeui llc vpi vci lane oam oamf4 oamf4ec oamf4sc metac bcc sc ilmic
	connectmsg metaconnect fisu lssu lsu msu hfisu hlssu hmsu sio opc dpc sls hsio hopc hdpc hsls`)

// numbers are the words that stand for a number: offsets and values of header
// fields.
var numbers = map[string]uint32{
	"tcpflags": 13,
	"tcp-fin":  0x01, "tcp-syn": 0x02, "tcp-rst": 0x04, "tcp-push": 0x08, "tcp-ack": 0x10, "tcp-urg": 0x20, "tcp-ece": 0x40, "tcp-cwr": 0x80,
	"icmptype": 0, "icmpcode": 1,
	"icmp-echoreply": 0, "icmp-unreach": 3, "icmp-sourcequench": 4, "icmp-redirect": 5, "icmp-echo": 8,
	"icmp-routeradvert": 9, "icmp-routersolicit": 10, "icmp-timxceed": 11, "icmp-paramprob": 12,
	"icmp-tstamp": 13, "icmp-tstampreply": 14, "icmp-ireq": 15, "icmp-ireqreply": 16, "icmp-maskreq": 17, "icmp-maskreply": 18,
	"icmp6type": 0, "icmp6code": 1,
	"icmp6-destinationrunreach": 1, "icmp6-packettoobig": 2, "icmp6-timeexceeded": 3, "icmp6-parameterproblem": 4,
	"icmp6-echo": 128, "icmp6-echoreply": 129,
	"icmp6-multicastlistenerquery": 130, "icmp6-multicastlistenerreportv1": 131, "icmp6-multicastlistenerdone": 132,
	"icmp6-routersolicit": 133, "icmp6-routeradvert": 134, "icmp6-neighborsolicit": 135, "icmp6-neighboradvert": 136, "icmp6-redirect": 137,
}

// A service is what a port's name stands for. A name that is used over more
// than one protocol stands for the port over any.
type service struct {
	port uint32
	over uint32 // protocol of IP; 0: any
}

// services are names of /etc/services. A filter has to mean the same on every
// machine, so the machine's own file is not read.
var services = map[string]service{
	"ftp-data": {20, protoTCP}, "ftp": {21, protoTCP}, "ssh": {22, protoTCP}, "telnet": {23, protoTCP}, "smtp": {25, protoTCP},
	"domain": {53, 0}, "bootps": {67, protoUDP}, "bootpc": {68, protoUDP}, "tftp": {69, protoUDP},
	"http": {80, protoTCP}, "www": {80, protoTCP}, "kerberos": {88, 0}, "pop3": {110, protoTCP}, "ntp": {123, protoUDP},
	"imap": {143, protoTCP}, "imap2": {143, protoTCP}, "snmp": {161, 0}, "bgp": {179, protoTCP}, "ldap": {389, 0}, "https": {443, 0},
	"submissions": {465, protoTCP}, "syslog": {514, protoUDP}, "rtsp": {554, 0}, "submission": {587, protoTCP}, "ldaps": {636, 0},
	"domain-s": {853, 0}, "rsync": {873, protoTCP}, "ftps": {990, protoTCP}, "imaps": {993, protoTCP}, "pop3s": {995, protoTCP},
	"socks": {1080, protoTCP}, "mysql": {3306, protoTCP}, "sip": {5060, 0}, "sip-tls": {5061, 0}, "postgresql": {5432, protoTCP},
	"redis": {6379, protoTCP}, "http-alt": {8080, protoTCP}, "webcache": {8080, protoTCP},
}

// comparisons are the relations of arithmetic.
var comparisons = map[string]bpf.JumpTest{
	"=": bpf.JumpEqual, "==": bpf.JumpEqual, "!=": bpf.JumpNotEqual,
	"<": bpf.JumpLessThan, "<=": bpf.JumpLessOrEqual, ">": bpf.JumpGreaterThan, ">=": bpf.JumpGreaterOrEqual,
}
