package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

func newVersion(c *console) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, and what it was built from",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			info, _ := debug.ReadBuildInfo()
			_, err := fmt.Fprintf(c.out, "expectscope %s\n", versionText(info))
			return written(err)
		},
	}
}

// versionText says what the program was built from: a release, or a revision.
// info is nil when the program does not know.
func versionText(info *debug.BuildInfo) string {
	version, rest := "devel", fmt.Sprintf("%s %s/%s", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if info == nil {
		return version + ", " + rest
	}
	if v := info.Main.Version; v != "" && v != "(devel)" && !strings.HasPrefix(v, "v0.0.0-") { // go's name for a revision
		version = v
	}
	setting := map[string]string{}
	for _, s := range info.Settings {
		setting[s.Key] = s.Value
	}
	if rev := setting["vcs.revision"]; rev != "" {
		version += ", revision " + rev[:min(len(rev), 12)]
		if t := setting["vcs.time"]; t != "" {
			version += " of " + t
		}
		if setting["vcs.modified"] == "true" {
			version += ", modified"
		}
	}
	return version + ", " + rest
}
