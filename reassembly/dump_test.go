package reassembly

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestDump(t *testing.T) {
	var b strings.Builder
	for _, tc := range slices.Concat(lifeScripts, lossScripts, limitScripts) {
		_, got := tc.play()
		fmt.Fprintf(&b, "@@%s\n%s\n", tc.name, got)
	}
	os.WriteFile("/tmp/got.txt", []byte(b.String()), 0o644)
}
