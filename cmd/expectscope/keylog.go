package main

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"expectscope/analysis/engine"
)

// keylogVar is where browsers, curl and others write TLS secrets to.
const keylogVar = "SSLKEYLOGFILE"

// keylogFlag adds --keylog to a command.
func keylogFlag(cmd *cobra.Command, name *string) {
	cmd.Flags().StringVar(name, "keylog", "", "decrypt TLS with this key log `FILE` ("+keylogVar+")")
}

// A keylog is a file of TLS secrets. They go to the engine and nowhere else.
type keylog struct {
	name   string
	file   *os.File // nil: it is not there yet
	buffer [64 << 10]byte
	off    int64 // how far it was read
	grows  bool
}

// keylog opens the key log that is named, or else that of the environment; nil: there is none. One that grows need not be there yet.
func (c *console) keylog(name string, grows bool) (*keylog, error) {
	given := name != ""
	if !given {
		if name = c.env(keylogVar); name == "" {
			return nil, nil
		}
	}
	k := &keylog{name: name, grows: grows}
	var err error
	k.file, err = os.Open(name)
	switch {
	case err == nil:
	case grows && errors.Is(err, fs.ErrNotExist):
	case given:
		return nil, &failure{status: statusUnread, text: "cannot read the TLS key log: " + err.Error(), hint: "programs write it that run with " + keylogVar + "=FILE"}
	default:
		c.warn("cannot read the TLS key log of "+keylogVar+": "+err.Error(), "")
		return nil, nil
	}
	if !given {
		c.say("note", "TLS is read with the secrets of "+name+" ("+keylogVar+")", "")
	}
	return k, nil
}

// again is the same key log from its beginning, for another reading of the same captures.
func (k *keylog) again() (*keylog, error) {
	if k == nil {
		return nil, nil
	}
	file, err := os.Open(k.name)
	return &keylog{name: k.name, file: file}, err
}

// into tells an engine where keys come from.
func (k *keylog) into(o *engine.Options) {
	if k != nil {
		o.KeyLog, o.KeyLogGrows = k.more, k.grows
	}
}

// more is what was written since, nothing if that is none. A file that became shorter is another one.
func (k *keylog) more() []byte {
	if k.file == nil {
		if k.file, _ = os.Open(k.name); k.file == nil {
			return nil
		}
	}
	n, err := k.file.Read(k.buffer[:])
	if n == 0 && k.off > 0 && errors.Is(err, io.EOF) {
		if st, err := k.file.Stat(); err == nil && st.Mode().IsRegular() && st.Size() < k.off {
			k.off, _ = k.file.Seek(0, io.SeekStart)
		}
	}
	k.off += int64(n)
	return k.buffer[:n]
}

// close closes the file.
func (k *keylog) close() {
	if k != nil && k.file != nil {
		_ = k.file.Close()
	}
}
