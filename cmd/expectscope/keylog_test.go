package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// A key log that grows is followed: before it is there, line by line, and when it begins anew.
func TestKeylogGrows(t *testing.T) {
	name := filepath.Join(t.TempDir(), "keys")
	var said bytes.Buffer
	c := &console{err: &said, env: func(string) string { return "" }}
	k, err := c.keylog(name, true)
	if err != nil || k == nil {
		t.Fatal(err)
	}
	defer k.close()
	read := func() string {
		var all []byte
		for b := k.more(); len(b) > 0; b = k.more() {
			all = append(all, b...)
		}
		return string(all)
	}
	write := func(flag int, text string) {
		f, err := os.OpenFile(name, flag|os.O_WRONLY|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	if got := read(); got != "" {
		t.Errorf("%q comes of a file that is not there", got)
	}
	long := string(bytes.Repeat([]byte("x"), 100_000))
	for i, step := range []struct {
		flag       int
		text, want string
	}{{os.O_APPEND, "one\n", "one\n"}, {os.O_APPEND, "", ""}, {os.O_APPEND, "two\nhalf", "two\nhalf"}, {os.O_APPEND, long, long}, {os.O_TRUNC, "anew\n", ""}, {os.O_APPEND, "", "anew\n"}} {
		if write(step.flag, step.text); read() == step.want {
			continue
		}
		t.Errorf("step %d: it is not %.20q", i, step.want)
	}
	if said.Len() > 0 {
		t.Errorf("it says %q", said.String())
	}
	if again, err := k.again(); err != nil || string(again.more()) != "anew\n" {
		t.Errorf("the second reading is another: %v", err)
	}
}
