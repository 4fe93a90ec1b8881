package report

import (
	"encoding/json"
	"math"
	"math/big"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// decoded is what encoding/json reads from one field.
func decoded(t *testing.T, write func(e *encoder)) any {
	t.Helper()
	var e encoder
	e.begin('{')
	write(&e)
	e.end('}')
	var m map[string]any
	d := json.NewDecoder(strings.NewReader(string(e.b)))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		t.Fatalf("%s: %v", e.b, err)
	}
	return m["f"]
}

func TestEncodeStrings(t *testing.T) {
	for _, s := range []string{"a", `"`, `\`, `a"b\c"`, "<script>&", "資料", "\x1b\"", "\u2028\\"} {
		if got := decoded(t, func(e *encoder) { e.str("f", s) }); got != Safe(s) {
			t.Errorf("%q became %q", s, got)
		}
	}
	if got := decoded(t, func(e *encoder) { e.str("f", "") }); got != nil {
		t.Errorf("an empty string became %q: it is to be left out", got)
	}
}

func TestEncodeNumbers(t *testing.T) {
	for _, n := range []int64{0, 1, -1, math.MaxInt64, math.MinInt64} {
		if got := decoded(t, func(e *encoder) { e.int("f", n) }); got.(json.Number).String() != big.NewInt(n).String() {
			t.Errorf("%d became %v", n, got)
		}
	}
	if got := decoded(t, func(e *encoder) { e.uint("f", math.MaxUint64) }); got.(json.Number).String() != "18446744073709551615" {
		t.Errorf("the largest counter became %v", got)
	}
	if got := decoded(t, func(e *encoder) { e.bool("f", true) }); got != true {
		t.Errorf("true became %v", got)
	}
}

// A duration is exact: its milliseconds times a million are its nanoseconds.
func TestEncodeDurations(t *testing.T) {
	for ns, want := range map[int64]string{
		0: "0", 1: "0.000001", 1_000_000: "1", 1_000_123_456: "1000.123456", 500_000: "0.5", -1_500_000: "-1.5", 10_000_010: "10.00001",
	} {
		if got := string(appendMs(nil, ns)); got != want {
			t.Errorf("%d ns: %s ms, want %s", ns, got, want)
		}
	}
	for _, ns := range []int64{math.MaxInt64, math.MinInt64, 123456789012345678, -7} {
		r, ok := new(big.Rat).SetString(string(appendMs(nil, ns)))
		if !ok || r.Mul(r, big.NewRat(1e6, 1)).Cmp(new(big.Rat).SetInt64(ns)) != 0 {
			t.Errorf("%d ns: %s ms", ns, appendMs(nil, ns))
		}
	}
}

func TestEncodeTimes(t *testing.T) {
	var e encoder // one for all, as in a run
	for _, ns := range []int64{0, 1, -1, 1e9, 1e9 + 1, 999_999_999, -1e9, epoch, epoch + 1, epoch + 999_999_999, math.MaxInt64, math.MinInt64} {
		e.b = e.b[:0]
		e.time("f", ns)
		want := `"f":"` + time.Unix(0, ns).UTC().Format("2006-01-02T15:04:05.000000000Z") + `"`
		if got := string(e.b); got != want {
			t.Errorf("%d: %s, want %s", ns, got, want)
		}
	}
}

func TestEncodeAddresses(t *testing.T) {
	for _, s := range []string{"10.0.0.1:80", "[2001:db8::1]:443"} {
		if got := decoded(t, func(e *encoder) { e.addr("f", netip.MustParseAddrPort(s)) }); got != s {
			t.Errorf("%s became %v", s, got)
		}
	}
	if got := decoded(t, func(e *encoder) { e.addr("f", netip.AddrPort{}) }); got != nil {
		t.Errorf("an unknown address became %v: it is to be left out", got)
	}
}
