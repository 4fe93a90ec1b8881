package extract_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expectscope/capture"
	"expectscope/capture/pcapfile"
)

// The captures of the lab that lie beside the repository, if they do: each is redacted, and says the same.
func TestLab(t *testing.T) {
	if testing.Short() {
		t.Skip("many captures")
	}
	const most = 200 << 10
	n := 0
	for _, dir := range []string{"lab", "corpus"} {
		_ = filepath.WalkDir("../../../shared/"+dir, func(path string, d os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if ext := filepath.Ext(path); ext != ".pcap" && ext != ".pcapng" {
				return nil
			}
			if info, err := d.Info(); err != nil || info.Size() > most {
				return err
			}
			n++
			t.Run(filepath.Base(path), func(t *testing.T) {
				open := func() capture.Source {
					src, err := pcapfile.Open([]string{path}, pcapfile.Options{})
					if err != nil {
						t.Skip("cannot be opened: ", err)
					}
					return src
				}
				whole := said(t, open)
				if ids := whole.ids(); len(ids) > 0 {
					if d := cmp.Diff(whole.verdicts(), said(t, written(t, cut(t, open, ids, nil, false))).verdicts()); d != "" {
						t.Error(d)
					}
					same(t, said(t, written(t, cut(t, open, ids, nil, false))), said(t, written(t, cut(t, open, ids, nil, true))))
				}
			})
			return nil
		})
	}
	if n == 0 {
		t.Skip("no captures beside the repository")
	}
}
