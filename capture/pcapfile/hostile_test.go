package pcapfile

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// What a pcapng says in names and comments, of the file, an interface or a packet, is nowhere in what is told of it.
func TestHostileOptions(t *testing.T) {
	const said = "\x1b[2J\u202e\xff"
	for _, o := range []order{little, big} {
		names := [][]byte{o.option(1, said), o.option(2, said), o.option(3, said), o.option(12, said), o.option(15, said)}
		b := join(o.shb(), o.idb(1, 0, names...), o.epb(0, 1, 4, "data", o.option(1, said)), o.isb(0, o.option(1, said)))
		all, in, err := readStream(t, bytes.NewReader(b))
		if err != nil || len(all) != 1 || in.Err != nil {
			t.Fatalf("%d packets, %v, %+v", len(all), err, in)
		}
		if told := fmt.Sprintf("%+v %+v", all, *in); strings.Contains(told, "\x1b") || strings.Contains(told, "\u202e") {
			t.Errorf("told: %q", told)
		}
	}
}
