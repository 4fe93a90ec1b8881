package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// The exit statuses. When several hold, the largest is returned: a run that
// did not see everything does not say that it found something.
const (
	statusOK     = 0   // read whole, and nothing that was looked for was found
	statusFound  = 1   // a finding reached --fail-on
	statusUsage  = 2   // the command line is wrong
	statusUnread = 3   // something could not be read to its end, or not be written
	statusKilled = 130 // ended by a second Ctrl-C, as shells count signals
)

// A failure ends the run with a message.
type failure struct {
	status     int
	text, hint string
}

// Error is what went wrong, without the hint.
func (f *failure) Error() string { return f.text }

// usage is a failure of the command line.
func usage(hint, format string, args ...any) *failure {
	return &failure{status: statusUsage, text: fmt.Sprintf(format, args...), hint: hint}
}

// An exitStatus ends the run; what there is to say has been said.
type exitStatus int

// Error is for whoever prints it; the program does not.
func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// conclude says what is left to say about err and returns the exit status.
func (c *console) conclude(err error) int {
	var f *failure
	var s exitStatus
	switch {
	case err == nil:
		return statusOK
	case errors.As(err, &s):
		return int(s)
	case errors.As(err, &f):
		c.fail(f.text, f.hint)
		return f.status
	}
	c.fail(err.Error(), "expectscope --help lists what there is") // cobra's own
	return statusUsage
}

// foreignFlags are flags of other tools that people try here.
var foreignFlags = map[string]string{
	"r": "captures are named without a flag: expectscope FILE...",
	"i": "to watch an interface: expectscope live -i IFACE",
	"w": "to write the report to a file: -o FILE; to record an interface: expectscope live -w FILE",
	"c": "to read the first packets only: tcpdump -r FILE -c N -w - | expectscope -",
	"n": "addresses are never looked up",
	"Y": "to choose findings: --client, --server, --target, --status, --rule, --severity",
	"q": "to test without output: expectscope FILE --fail-on warning -o /dev/null -f csv",
}

// flagFailure turns pflag's complaint into ours.
func flagFailure(flags *pflag.FlagSet, err error) error {
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	var f *failure
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &unknown):
		return unknownFlag(flags, unknown)
	case errors.As(err, &missing):
		flag := missing.GetFlag()
		what, _ := pflag.UnquoteUsage(flag)
		return usage(fmt.Sprintf("--%s %s", flag.Name, flag.Usage), "%s needs a value: %s", dashes(missing.GetSpecifiedName()), what)
	case errors.As(err, &invalid):
		flag := invalid.GetFlag()
		return usage(fmt.Sprintf("--%s: %s", flag.Name, strings.ReplaceAll(flag.Usage, "`", "")),
			"--%s cannot be %q: %v", flag.Name, invalid.GetValue(), errors.Unwrap(invalid))
	}
	return usage("", "%v", err)
}

func unknownFlag(flags *pflag.FlagSet, e *pflag.NotExistError) error {
	name := e.GetSpecifiedName()
	if shorts := e.GetSpecifiedShortnames(); shorts != "" {
		name = shorts[:1]
	}
	hint := foreignFlags[name]
	if hint == "" {
		var names []string
		flags.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		hint = "--help lists the flags"
		if near := nearest(name, names); near != "" {
			hint = "did you mean --" + near + "?"
		}
	}
	return usage(hint, "unknown flag %s", dashes(name))
}

// dashes writes a flag's name as it is given.
func dashes(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// nearest is the word that one probably meant: the closest by edit distance,
// if it is close enough, or the only one that begins so. "" if there is none.
func nearest(typed string, words []string) string {
	best, least := "", max(2, len(typed)/3)+1
	for _, w := range words {
		d := distance(strings.ToLower(typed), w)
		if len(typed) > 2 && strings.HasPrefix(w, typed) {
			d = 1
		}
		if d < least && d < len(w) {
			best, least = w, d
		}
	}
	return best
}

// distance is how many letters must be inserted, deleted or changed to make a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
