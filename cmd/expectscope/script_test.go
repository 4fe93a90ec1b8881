package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"expectscope/capture/script"
)

const pcaps = "../../testdata/pcaps"

// TestScripts holds the command to its contract: one behaviour a script. Beside
// testscript's own, the scripts have the commands of commands(); the committed
// captures lie in $PCAPS, and $RULES lists the rules.
func TestScripts(t *testing.T) {
	dir, err := filepath.Abs(pcaps)
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PCAPS", dir)
			env.Setenv("RULES", strings.Join(ruleIDs(), " "))
			env.Setenv("TZ", "Asia/Tokyo")
			env.Setenv("TERM", "xterm")
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status":   status,
			"play":     play,
			"pcapcut":  pcapcut,
			"poke":     poke,
			"truncate": truncate,
		},
	})
}

// status N PROGRAM ARG...: the program ends with that exit status.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N PROGRAM ARG...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if want := number(ts, args[0]); got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// play CONVERSATION PCAP: the capture of a conversation in the language of capture/script.
func play(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: play CONVERSATION PCAP")
	}
	s, err := script.Parse(ts.ReadFile(args[0]))
	ts.Check(err)
	var b bytes.Buffer
	ts.Check(s.WritePcap(&b))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b.Bytes(), 0o644))
}

const fileHeader, recordHeader = 24, 16

// pcapcut IN OUT FIRST-LAST: frames FIRST to LAST of a little-endian pcap file.
func pcapcut(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: pcapcut IN OUT FIRST-LAST")
	}
	from, to, _ := strings.Cut(args[2], "-")
	first, last := number(ts, from), number(ts, to)
	in := []byte(ts.ReadFile(args[0]))
	out, in := in[:fileHeader:fileHeader], in[fileHeader:]
	for n := 1; len(in) > 0; n++ {
		size := recordHeader + int(binary.LittleEndian.Uint32(in[8:]))
		if first <= n && n <= last {
			out = append(out, in[:size]...)
		}
		in = in[size:]
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), out, 0o644))
}

// poke FILE OFFSET HEX: overwrites bytes of a file.
func poke(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: poke FILE OFFSET HEX")
	}
	b := []byte(ts.ReadFile(args[0]))
	change, err := hex.DecodeString(args[2])
	ts.Check(err)
	if copy(b[number(ts, args[1]):], change) != len(change) {
		ts.Fatalf("%s is too short", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o644))
}

// truncate FILE SIZE: makes a file shorter.
func truncate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: truncate FILE SIZE")
	}
	ts.Check(os.Truncate(ts.MkAbs(args[0]), int64(number(ts, args[1]))))
}

func number(ts *testscript.TestScript, s string) int {
	n, err := strconv.Atoi(s)
	ts.Check(err)
	return n
}
