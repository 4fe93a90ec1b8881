package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// mayImport is the architecture: which packages of this module, and which
// modules, a package may import besides the standard library. Arrows go one way:
// words at the root, behaviour in the leaves, and only this command knows all.
// A package that is missing here fails the test.
var mayImport = map[string]string{
	"capture":          "",
	"capture/decode":   "capture " + gopacketLayers,
	"capture/filter":   "capture golang.org/x/net/bpf",
	"capture/live":     "capture capture/pcapfile golang.org/x/sys/unix golang.org/x/net/bpf",
	"capture/pcapfile": "capture golang.org/x/sys/unix github.com/klauspost/compress/gzip github.com/klauspost/compress/zstd github.com/pierrec/lz4/v4",
	"capture/script":   "capture",
	"reassembly":       "capture capture/decode " + gopacketLayers + " " + gopacketReassembly,
	"analysis":         "capture reassembly",
	"analysis/sniff":   "reassembly",
	"analysis/tlskey":  "reassembly golang.org/x/crypto/chacha20poly1305",
	"analysis/http1":   "reassembly analysis",
	"analysis/http2":   "reassembly analysis analysis/http2/hpack",
	"analysis/record":  "reassembly analysis",
	"analysis/retry":   "reassembly analysis",
	"analysis/peers":   "reassembly analysis",
	"analysis/hop":     "reassembly analysis",
	"analysis/rules":   "capture reassembly analysis",
	"analysis/store":   "capture reassembly analysis",
	"analysis/query":   "capture reassembly analysis",
	"analysis/extract": "capture capture/decode reassembly analysis analysis/rules",
	"analysis/report":  "capture reassembly analysis analysis/rules github.com/charmbracelet/x/ansi",
	"analysis/engine": "capture capture/decode reassembly analysis analysis/sniff analysis/tlskey analysis/http1 analysis/http2 analysis/record " +
		"analysis/retry analysis/hop analysis/peers analysis/rules analysis/store",
	// the tables of Huffman codes are theirs, the decoder is not
	"analysis/http2/hpack": "golang.org/x/net/http2/hpack",
	"tui": "capture reassembly analysis analysis/rules analysis/report analysis/store analysis/query charm.land/lipgloss/v2 " +
		"charm.land/bubbletea/v2 charm.land/bubbles/v2/key charm.land/bubbles/v2/textinput github.com/charmbracelet/colorprofile " +
		"github.com/charmbracelet/x/ansi golang.org/x/term golang.org/x/sys/windows",
	"cmd/expectscope/hugepages": "",
	"cmd/expectscope": "cmd/expectscope/hugepages capture capture/decode capture/pcapfile capture/live capture/filter capture/script analysis analysis/engine analysis/extract analysis/rules " +
		"analysis/report analysis/store analysis/query tui github.com/spf13/cobra github.com/spf13/pflag golang.org/x/term " +
		"github.com/charmbracelet/x/ansi github.com/rogpeppe/go-internal/txtar",
}

const (
	gopacketLayers     = "github.com/google/gopacket github.com/google/gopacket/layers"
	gopacketReassembly = "github.com/google/gopacket/reassembly"
)

// testsMayImport is what tests may import besides: the words, written
// conversations, and what makes tests.
const testsMayImport = "capture reassembly analysis capture/script github.com/google/go-cmp/cmp github.com/google/go-cmp/cmp/cmpopts " +
	"github.com/rogpeppe/go-internal/txtar github.com/rogpeppe/go-internal/testscript pgregory.net/rapid " +
	"github.com/prometheus/common/expfmt github.com/prometheus/common/model github.com/prometheus/client_model/go"

// testsOfMayImport is what the tests of one package may import besides.
var testsOfMayImport = map[string]string{
	"analysis/engine":  "capture/pcapfile",
	"analysis/extract": "analysis/extract analysis/engine capture/pcapfile",
	"analysis/rules":   "analysis/rules analysis/engine", // its examples are played
	"analysis/report":  "analysis/report analysis/engine",
	"analysis/tlskey":  "analysis/tlskey analysis/engine capture/pcapfile",
	"capture/script":   "golang.org/x/net/http2/hpack",
	"capture/decode":   gopacketLayers,
	"capture/filter":   "capture/pcapfile",
	"capture/live":     "capture/pcapfile capture/decode",
	"tui":              "tui github.com/charmbracelet/x/exp/teatest/v2 github.com/charmbracelet/x/exp/golden",
}

// The rim is where the pipeline meets the world: goroutines and a clock exist only there.
const (
	mayStartGoroutines = "capture/pcapfile capture/live tui cmd/expectscope"
	mayKnowTheTime     = "capture/live tui cmd/expectscope"
	mayPrint           = "tui cmd/expectscope"
)

// Sizes that a reader can take in, in lines. Tests are exempt.
const maxFile, maxFunction = 400, 60

// TestArchitecture reads every Go file of the module.
func TestArchitecture(t *testing.T) {
	const root = "../.."
	var knowReassembly []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if base := d.Name(); d.IsDir() && (base == "testdata" || base != ".." && strings.HasPrefix(base, ".")) {
			return fs.SkipDir
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		f := newSourceFile(t, name, filepath.ToSlash(rel))
		if f == nil {
			return nil
		}
		f.check()
		if f.imports(gopacketReassembly) {
			knowReassembly = append(knowReassembly, f.rel)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(knowReassembly) != 1 {
		t.Errorf("gopacket's reassembly is to be known by one file, and is by %v", knowReassembly)
	}
}

// A sourceFile is a Go file under examination.
type sourceFile struct {
	t    *testing.T
	fset *token.FileSet
	ast  *ast.File
	rel  string // its path from the root
	pkg  string // the folder of that
	test bool
}

// newSourceFile parses a file; nil if it is none.
func newSourceFile(t *testing.T, name, rel string) *sourceFile {
	f := &sourceFile{t: t, fset: token.NewFileSet(), rel: rel, pkg: path.Dir(rel), test: strings.HasSuffix(rel, "_test.go")}
	var err error
	if f.ast, err = parser.ParseFile(f.fset, name, nil, parser.ParseComments|parser.SkipObjectResolution); err != nil {
		t.Errorf("%s: %v", rel, err)
		return nil
	}
	return f
}

// fails reports a violation at its place.
func (f *sourceFile) fails(at token.Pos, format string, args ...any) {
	f.t.Errorf("%s:%d: %s", f.rel, f.fset.Position(at).Line, fmt.Sprintf(format, args...))
}

// lists tells whether the package is in a list.
func (f *sourceFile) lists(list string) bool { return slices.Contains(strings.Fields(list), f.pkg) }

func (f *sourceFile) imports(what string) bool {
	return slices.ContainsFunc(f.ast.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == strconv.Quote(what) })
}

func (f *sourceFile) check() {
	f.checkImports()
	if f.test {
		return
	}
	if n := f.fset.File(f.ast.FileStart).LineCount(); n > maxFile {
		f.fails(f.ast.Package, "the file has %d lines, and may have %d", n, maxFile)
	}
	for _, d := range f.ast.Decls {
		f.checkDecl(d)
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		f.checkNode(n)
		return true
	})
}

func (f *sourceFile) checkImports() {
	list, known := mayImport[f.pkg]
	if !known {
		f.fails(f.ast.Package, "the package %s is missing from the table of architecture", f.pkg)
	}
	allowed := strings.Fields(list)
	if f.test {
		allowed = slices.Concat(allowed, strings.Fields(testsMayImport), strings.Fields(testsOfMayImport[f.pkg]))
	}
	for _, i := range f.ast.Imports {
		name, _ := strconv.Unquote(i.Path.Value)
		own, isOwn := strings.CutPrefix(name, "expectscope/")
		if isOwn {
			name = own
		} else if first, _, _ := strings.Cut(name, "/"); !strings.Contains(first, ".") {
			continue // the standard library
		}
		if !slices.Contains(allowed, name) {
			f.fails(i.Pos(), "%s may not import %s", f.pkg, name)
		}
	}
}

// checkDecl checks that functions are short and exported names documented.
func (f *sourceFile) checkDecl(d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		first, last := f.fset.Position(d.Pos()).Line, f.fset.Position(d.End()).Line
		if n := last - first + 1; n > maxFunction {
			f.fails(d.Pos(), "the function %s has %d lines, and may have %d", d.Name.Name, n, maxFunction)
		}
		if d.Name.IsExported() && d.Doc == nil && !known(d) {
			f.fails(d.Pos(), "%s has no doc comment", d.Name.Name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
					f.fails(s.Pos(), "%s has no doc comment", s.Name.Name)
				}
			case *ast.ValueSpec:
				for _, n := range s.Names {
					if n.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
						f.fails(n.Pos(), "%s has no doc comment", n.Name)
					}
				}
			}
		}
	}
}

// known tells whether the method means what the standard library says it
// means, or belongs to a type that nobody else sees.
func known(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return false
	}
	if slices.Contains([]string{"String", "Error", "Unwrap", "Read", "Write", "Close"}, d.Name.Name) {
		return true
	}
	t := d.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	name, ok := t.(*ast.Ident)
	return ok && !name.IsExported()
}

// checkNode finds what belongs to the rim only.
func (f *sourceFile) checkNode(n ast.Node) {
	switch n := n.(type) {
	case *ast.GoStmt:
		if !f.lists(mayStartGoroutines) {
			f.fails(n.Pos(), "a goroutine outside the rim")
		}
	case *ast.SelectorExpr:
		pkg, ok := n.X.(*ast.Ident)
		if !ok {
			return
		}
		switch name := pkg.Name + "." + n.Sel.Name; name {
		case "time.Now", "time.Since", "time.Until", "time.Sleep", "time.After", "time.NewTimer", "time.NewTicker", "time.Tick":
			if !f.lists(mayKnowTheTime) {
				f.fails(n.Pos(), "%s outside the rim", name)
			}
		case "fmt.Print", "fmt.Printf", "fmt.Println", "os.Stdout", "os.Stderr", "log.Print", "log.Printf", "log.Println":
			if !f.lists(mayPrint) {
				f.fails(n.Pos(), "%s outside tui and cmd", name)
			}
		}
	}
}
