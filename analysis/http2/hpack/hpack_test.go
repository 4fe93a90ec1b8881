package hpack

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/http2/hpack"
)

// fields decodes a block and writes its fields down, ? for what is not known.
func fields(d *Decoder, block []byte) (string, Outcome) {
	var b strings.Builder
	how := d.Decode(block, func(f *Field) {
		name, value := string(f.Name), string(f.Value)
		if !f.Named {
			name = "?"
		}
		if !f.Valued {
			value = "?"
		}
		fmt.Fprintf(&b, "%s: %s\n", name, value)
	})
	return b.String(), how
}

// An encoder makes blocks as a peer would.
type encoder struct {
	buf bytes.Buffer
	enc *hpack.Encoder
}

func newEncoder() *encoder {
	e := &encoder{}
	e.enc = hpack.NewEncoder(&e.buf)
	return e
}

func (e *encoder) block(pairs ...string) []byte {
	e.buf.Reset()
	for i := 0; i < len(pairs); i += 2 {
		if err := e.enc.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]}); err != nil {
			panic(err)
		}
	}
	return bytes.Clone(e.buf.Bytes())
}

func text(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "%s: %s\n", pairs[i], pairs[i+1])
	}
	return b.String()
}

// The static table is the one of x/net, entry by entry.
func TestStaticTable(t *testing.T) {
	theirs := hpack.NewDecoder(4096, nil)
	for i := range static {
		block := []byte{0x80 | byte(i+1)}
		fs, err := theirs.DecodeFull(block)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := fields(New(false), block); got != text(fs[0].Name, fs[0].Value) {
			t.Errorf("index %d is %q, want %q", i+1, got, fs[0])
		}
	}
}

// RFC 7541, Appendix C.4: three requests on one connection, Huffman-coded.
func TestRequests(t *testing.T) {
	e, d := newEncoder(), New(false)
	for _, pairs := range [][]string{
		{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "www.example.com"},
		{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "www.example.com", "cache-control", "no-cache"},
		{":method", "GET", ":scheme", "https", ":path", "/index.html", ":authority", "www.example.com", "custom-key", "custom-value"},
	} {
		if got, how := fields(d, e.block(pairs...)); got != text(pairs...) || how != Whole {
			t.Errorf("%v:\n%swant\n%s", how, got, text(pairs...))
		}
	}
}

// Who joins late knows what was inserted since, and only that.
func TestJoined(t *testing.T) {
	e, late := newEncoder(), New(true)
	e.block("x-old", "1")
	got, how := fields(late, e.block("x-old", "1", "x-new", "2"))
	if want := "?: ?\nx-new: 2\n"; got != want || how != Whole {
		t.Errorf("%v:\n%swant\n%s", how, got, want)
	}
	got, _ = fields(late, e.block("x-new", "2", "x-old", "3"))
	if want := "x-new: 2\n?: 3\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	got, _ = fields(late, e.block("x-old", "3", "x-new", "2", "x-old", "1"))
	if want := "?: 3\nx-new: 2\n?: ?\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	late.Lose()
	if got, _ = fields(late, e.block("x-new", "2")); got != "?: ?\n" {
		t.Errorf("behind a loss: %q", got)
	}
	if late.Knows() {
		t.Error("the table is said to be known")
	}
}

// A table that is emptied, or has filled since its size was said, is known again.
func TestKnownAgain(t *testing.T) {
	e := newEncoder()
	late := New(true)
	e.block("x-old", "1")
	e.enc.SetMaxDynamicTableSizeLimit(8192)
	e.enc.SetMaxDynamicTableSize(0)
	e.enc.SetMaxDynamicTableSize(200)
	fields(late, e.block("x-new", "2"))
	if !late.Knows() {
		t.Error("not known though it was emptied")
	}
	e, late = newEncoder(), New(true)
	e.block("x-old", "1")
	e.enc.SetMaxDynamicTableSize(200)
	for i := range 10 {
		fields(late, e.block("x-new", strings.Repeat(fmt.Sprint(i), 30)))
	}
	if !late.Knows() {
		t.Error("not known though what is older has no room")
	}
}

// Evictions follow the peer's: a table that is too small for an entry is emptied by it (RFC 7541, Section 4.4).
func TestEviction(t *testing.T) {
	e, d := newEncoder(), New(false)
	e.enc.SetMaxDynamicTableSize(100)
	for i := range 50 {
		pairs := []string{"a", strings.Repeat("x", i), "b", strings.Repeat("y", 3*i), "a", strings.Repeat("x", i)}
		if got, how := fields(d, e.block(pairs...)); got != text(pairs...) || how != Whole {
			t.Fatalf("block %d, %v:\n%swant\n%s", i, how, got, text(pairs...))
		}
		if d.size > 100 {
			t.Fatalf("the table holds %d octets", d.size)
		}
	}
}

// Damage ends a block; what was known before is given up.
func TestDamage(t *testing.T) {
	for name, c := range map[string]struct {
		block []byte
		want  Outcome
	}{
		"index 0":                   {[]byte{0x80}, Broken},
		"index behind the table":    {[]byte{0xbe}, Broken},
		"name behind the table":     {[]byte{0x7e, 0x01, 'x'}, Broken},
		"size update behind fields": {[]byte{0x82, 0x20}, Broken},
		"endless integer":           {[]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, Broken},
		"Huffman of EOS":            {[]byte{0x00, 0x84, 0xff, 0xff, 0xff, 0xff, 0x00}, Broken},
		"cut in an integer":         {[]byte{0x82, 0xff}, Cut},
		"cut in a name":             {[]byte{0x82, 0x40, 0x05, 'a'}, Cut},
		"cut before a value":        {[]byte{0x82, 0x40, 0x01, 'a'}, Cut},
	} {
		d := New(false)
		_, how := fields(d, c.block)
		if how != c.want {
			t.Errorf("%s: %v, want %v", name, how, c.want)
		}
		if d.Knows() == (how == Broken) {
			t.Errorf("%s: the table is known: %v", name, d.Knows())
		}
	}
}

// Whatever the peers agree on, a table keeps a bounded number of octets, and says so.
func TestBound(t *testing.T) {
	d := New(false)
	e := newEncoder()
	e.enc.SetMaxDynamicTableSizeLimit(1 << 30)
	e.enc.SetMaxDynamicTableSize(1 << 30)
	for i := range 3000 {
		fields(d, e.block(fmt.Sprint("n", i), strings.Repeat("v", 100)))
	}
	if d.size > maxSize || !d.Capped() || d.Knows() {
		t.Errorf("the table holds %d octets; capped %v, known %v", d.size, d.Capped(), d.Knows())
	}
	if got, how := fields(d, e.block("n0", strings.Repeat("v", 100))); how == Whole && got != "?: ?\n" {
		t.Errorf("an entry that was not kept is read as %q, %v", got, how)
	}
}

// A block of fields that are in the table costs no allocation.
func TestNoAllocation(t *testing.T) {
	e, d := newEncoder(), New(false)
	pairs := []string{":method", "PUT", ":scheme", "http", ":path", "/up", ":authority", "www.example.com"}
	fields(d, e.block(pairs...))
	block := e.block(pairs...)
	n := 0
	emit := func(f *Field) { n += len(f.Value) }
	if allocs := testing.AllocsPerRun(100, func() { d.Decode(block, emit) }); allocs != 0 || n == 0 {
		t.Errorf("%v allocations a block, want 0", allocs)
	}
}

// twoUpdates tells whether a block begins with two changes of the table's size (RFC 7541, Section 4.2).
func twoUpdates(b []byte) bool {
	for n := range 2 {
		if len(b) == 0 || b[0]&0xe0 != 0x20 {
			return false
		}
		long := b[0]&0x1f == 0x1f
		b = b[1:]
		for more := long; more && n == 0 && len(b) > 0; b = b[1:] {
			more = b[0]&0x80 != 0
		}
	}
	return true
}

// FuzzHPACK reads blocks, each with its length before it, from the state of a new
// connection as x/net does: both give the same fields, or neither reads on. The
// same blocks are read as by one who joined: what is known then is the same.
func FuzzHPACK(f *testing.F) {
	e := newEncoder()
	var seed []byte
	for i := range 4 {
		b := e.block(":method", "PUT", ":path", fmt.Sprint("/", i), "expect", "100-continue", "x", strings.Repeat("y", i))
		seed = append(append(seed, byte(len(b))), b...)
	}
	f.Add(seed)
	f.Add([]byte("\x05\x3f\xe1\x1f\x82\x84\x03\x82\x20\x20"))
	f.Add([]byte("\x17A\x03000A\x0200A\x8800070001A\x02000?00")) // two size updates while the table is not empty
	f.Fuzz(func(t *testing.T, b []byte) {
		ours, late := New(false), New(true)
		var want strings.Builder
		theirs := hpack.NewDecoder(defaultSize, func(f hpack.HeaderField) {
			want.WriteString(text(f.Name, f.Value))
		})
		theirs.SetAllowedMaxDynamicTableSize(1<<32 - 1)
		for len(b) > 0 {
			n := min(int(b[0]), len(b)-1)
			block := b[1 : 1+n]
			b = b[1+n:]
			want.Reset()
			_, err := theirs.Write(block)
			if err == nil {
				err = theirs.Close()
			}
			got, how := fields(ours, block)
			if ours.Capped() {
				return // from here on we know less
			}
			if ours.size > maxSize || late.size > maxSize {
				t.Fatalf("tables hold %d and %d octets", ours.size, late.size)
			}
			if (err == nil) != (how == Whole) {
				// They take a size update between fields while the table is empty; it is not allowed (RFC 7541, Section 4.2).
				if how == Broken && err == nil {
					return
				}
				// They refuse the second of two size updates that begin a block, while the table is not empty; it is allowed there.
				if how == Whole && twoUpdates(block) {
					return
				}
				t.Fatalf("theirs: %v, ours: %v, of %x", err, how, block)
			}
			if how != Whole {
				return
			}
			if got != want.String() {
				t.Fatalf("ours:\n%stheirs:\n%s", got, want.String())
			}
			joined, how := fields(late, block)
			if how == Broken {
				t.Fatalf("who joined cannot read %x", block)
			}
			ls, ws := strings.Split(joined, "\n"), strings.Split(got, "\n")
			if !strings.Contains(got, "?") && len(ls) == len(ws) {
				for i := range ls {
					if ls[i] != ws[i] && !strings.Contains(ls[i], "?") {
						t.Fatalf("who joined reads %q, want %q", ls[i], ws[i])
					}
				}
			}
		}
	})
}
