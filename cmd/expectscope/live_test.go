package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"expectscope/analysis"
	"expectscope/analysis/store"
	"expectscope/capture"
	"expectscope/capture/live"
	"expectscope/reassembly"
)

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{
		"65535": 65535, "64KiB": 65536, "100MB": 100_000_000, "1GB": 1e9, "1.5k": 1500, "2 MiB": 2 << 20,
		"1g": 1e9, "3b": 3, " 7m": 7e6, "1GiB": 1 << 30, "0": 0, "": -1, "MB": -1, "-1": -1, "1TB": -1, "1e30": -1, "nan": -1, "0x10": -1,
	} {
		got, ok := parseSize(text)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%q is %d (%v), want %d", text, got, ok, want)
		}
	}
}

func TestWriteInterfaces(t *testing.T) {
	var b bytes.Buffer
	err := writeInterfaces(&b, []live.Interface{
		{Name: "lo", Index: 1, Up: true, Running: true, Loopback: true, Link: capture.LinkEthernet, Addrs: []netip.Prefix{
			netip.MustParsePrefix("127.0.0.1/8"), netip.MustParsePrefix("::1/128"),
		}},
		{Name: "eth0", Index: 2, Up: true, Link: capture.LinkEthernet},
		{Name: "tun\x1b0", Index: 30, Link: capture.LinkRaw},
	})
	const want = `NAME      INDEX  STATE           LINK         ADDRESSES
any       -      -               all of them  -
lo        1      up              loopback     127.0.0.1/8 ::1/128
eth0      2      up, no carrier  Ethernet     -
tun\x1b0  30     down            raw IP       -
`
	if b.String() != want || err != nil {
		t.Errorf("%v\n%s\nwant\n%s", err, b.String(), want)
	}
}

// The filter is refused with its place, before anything is opened.
func TestLiveFilterRefused(t *testing.T) {
	if _, err := live.Link(live.Any); err != nil {
		t.Skip(err)
	}
	got := runWith(t, nil, "live", "-o", filepath.Join(t.TempDir(), "out.csv"), "tcp", "port", "eighty")
	lines := strings.Split(strings.TrimSuffix(got.err, "\n"), "\n")
	if got.status != statusUsage || len(lines) != 4 || !strings.HasPrefix(lines[0], "expectscope: error: filter: ") ||
		lines[1] != "  tcp port eighty" || lines[2] != "           ^^^^^^" || !strings.HasPrefix(lines[3], "expectscope: hint: ") {
		t.Errorf("status %d\n%s", got.status, got.err)
	}
}

// An outage is said when it begins and when it ends.
func TestOutage(t *testing.T) {
	var b bytes.Buffer
	w := &watched{c: &console{err: &b}}
	w.notice(live.Notice{Interface: "eth0", Time: 1e18})
	w.notice(live.Notice{Interface: "eth0", Up: true, Time: 1e18 + 2_345_678_901})
	const want = `expectscope: warning: the interface eth0 went down: until it is back nothing is seen
expectscope: warning: the interface eth0 is back after 2.3s: what it carried meanwhile was not seen
`
	if b.String() != want {
		t.Errorf("said\n%s", b.String())
	}
}

// Recording fails once, in words, and the status says so.
func TestRecordingFails(t *testing.T) {
	var b bytes.Buffer
	w := &watched{c: &console{err: &b}}
	w.recorded(nil)
	if w.unsaved || b.Len() > 0 {
		t.Fatalf("a success was complained about: %s", b.String())
	}
	w.recorded(&live.RecordError{Path: "x", Err: errors.New("full")})
	if !w.unsaved || !strings.HasPrefix(b.String(), "expectscope: error: cannot record to x: full; the analysis goes on without\nexpectscope: hint: ") {
		t.Errorf("said\n%s", b.String())
	}
}

// upload417 is an exchange that was refused, and a finding about it.
func upload417(n int) (*analysis.Exchange, *analysis.Finding) {
	x := &analysis.Exchange{ID: fmt.Sprintf("2:%d/1", n), Conn: &reassembly.Conn{SYN: 1e18}, At: 1e18 + 3e9}
	x.Request.First.Time = 1e18 + 1e9
	return x, &analysis.Finding{
		Rule: "417-received", Exchange: x.ID, Summary: "Refused.", Evidence: []capture.Num{7},
		Client: netip.MustParseAddrPort("10.0.0.1:40000"), Server: netip.MustParseAddrPort("10.0.0.2:80"),
	}
}

func newTestEvidence(t *testing.T) (*evidence, *bytes.Buffer) {
	t.Helper()
	var said bytes.Buffer
	e, err := newEvidence(&console{err: &said}, filepath.Join(t.TempDir(), "proof", "of"), 1<<20, false)
	if err != nil {
		t.Fatal(err)
	}
	return e, &said
}

// A file is replaced only by one with more in it, and not for what is withdrawn.
func TestEvidenceKeepsTheBest(t *testing.T) {
	e, said := newTestEvidence(t)
	x, f := upload417(5)
	path := filepath.Join(e.dir, "417-received-2.5-1.pcapng")
	size := func() int64 {
		info, err := os.Stat(path)
		if err != nil {
			return -1
		}
		return info.Size()
	}
	add := func(n capture.Num, at int64) {
		e.recent.Add(&capture.Packet{Num: n, Time: at, Link: 1, Data: []byte("no IP"), Len: 5})
	}
	e.exchange(x)
	e.finding(f)
	if size() != -1 {
		t.Fatal("a file without a packet was written")
	}
	add(6, 1e18+1e9) // not named
	add(7, 1e18+2e9)
	e.finding(f)
	one := size()
	if one <= 0 {
		t.Fatal("no file was written")
	}
	add(7, 1e18+9e9) // too late
	withdrawn := *f
	withdrawn.State = analysis.Withdrawn
	e.finding(&withdrawn)
	if e.finding(f); size() != one {
		t.Errorf("%d bytes, and %d before: nothing was to be added", size(), one)
	}
	add(7, 1e18+25e8)
	if e.finding(f); size() <= one {
		t.Errorf("%d bytes with a second packet, %d with one", size(), one)
	}
	e.recent = live.NewRecent(1 << 20)
	add(7, 1e18+25e8)
	two := size()
	if e.finding(f); size() != two {
		t.Error("a file was replaced by one with less in it")
	}
	if e.conclude(nil) || said.Len() > 0 {
		t.Errorf("complaints: %s", said.String())
	}
}

// What a browser extracts are the packets of the exchange, its proof with a comment; when they are gone it says what keeps them.
func TestMemoryExtracts(t *testing.T) {
	x, f := upload417(5)
	kept := &store.Exchange{Exchange: *x, Findings: []*store.Finding{{Finding: *f}}}
	e := newMemory(nil, 1<<20, false)
	t.Chdir(t.TempDir())
	if name, err := e.extractOne(kept); !errors.Is(err, errForgotten) || name != "" {
		t.Errorf("of nothing: %q, %v", name, err)
	}
	if files, _ := os.ReadDir("."); len(files) > 0 {
		t.Errorf("%s was left", files[0].Name())
	}
	for _, n := range []capture.Num{6, 7} { // 7 is named by the finding, 6 is another's
		e.add(&capture.Packet{Num: n, Time: 1e18 + 1e9, Link: 1, Data: []byte("no IP"), Len: 5})
	}
	name, err := e.extractOne(kept)
	text, _ := os.ReadFile(name)
	if err != nil || strings.Count(string(text), "no IP") != 1 || !strings.Contains(string(text), f.Rule+": "+f.Summary) {
		t.Errorf("%q, %v: %q", name, err, text)
	}
}

// The number of files is bounded, and it is said.
func TestEvidenceBounded(t *testing.T) {
	e, said := newTestEvidence(t)
	e.recent.Add(&capture.Packet{Num: 7, Time: 1e18 + 2e9, Link: 1, Data: []byte("no IP"), Len: 5})
	for n := range maxEvidence + 10 {
		x, f := upload417(n)
		e.exchange(x)
		e.finding(f)
	}
	files, err := os.ReadDir(e.dir)
	if err != nil || len(files) != maxEvidence {
		t.Errorf("%d files, %v", len(files), err)
	}
	if e.conclude(nil) || !strings.Contains(said.String(), "warning: --evidence wrote 1000 files, and no more\n") {
		t.Errorf("said\n%s", said.String())
	}
}

// A directory that is gone ends evidence once, in words.
func TestEvidenceFails(t *testing.T) {
	e, said := newTestEvidence(t)
	if err := os.RemoveAll(e.dir); err != nil {
		t.Fatal(err)
	}
	e.recent.Add(&capture.Packet{Num: 7, Time: 1e18 + 2e9, Link: 1, Data: []byte("no IP"), Len: 5})
	for n := range 3 {
		x, f := upload417(n)
		e.exchange(x)
		e.finding(f)
	}
	if !e.conclude(nil) || strings.Count(said.String(), "the analysis goes on without") != 1 {
		t.Errorf("said\n%s", said.String())
	}
}

func TestWritable(t *testing.T) {
	dir := t.TempDir()
	if err := writable(dir); err != nil {
		t.Error(err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 0 {
		t.Errorf("left behind: %v", files)
	}
	if err := writable(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestTimeAndCountFlags(t *testing.T) {
	var d time.Duration
	var n int
	for _, bad := range []error{
		timeInto("x", &d)("0s"), timeInto("x", &d)("10"), countInto("x", &n)("0"), countInto("x", &n)("-1"),
		countInto("x", &n)("99999999999999999999"), sizeInto("x", &n)("0"), sizeInto("x", &n)("4611686018427387905GB"),
	} {
		var f *failure
		if !errors.As(bad, &f) || f.status != statusUsage || !strings.HasPrefix(f.text, "--x cannot be ") {
			t.Errorf("error %v", bad)
		}
	}
	if err := errors.Join(timeInto("x", &d)("90s"), countInto("x", &n)("12")); err != nil || d != 90*time.Second || n != 12 {
		t.Errorf("%v %d %v", d, n, err)
	}
}
