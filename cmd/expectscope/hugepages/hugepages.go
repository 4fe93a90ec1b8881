// Package hugepages asks the kernel, before any other package begins, for huge
// pages under the program's tables and the beginning of its heap. Importing it
// is all; it does something on Linux only.
//
// gopacket/layers fills 7 MB of tables when it is initialised, and an analysis
// grows a heap of some MB. At 4 KB a page that is 2,000 to 5,000 page faults,
// which in a virtual machine can take longer than the analysis.
//
// It has to be initialised before gopacket/layers. Packages are in the order of
// their import paths, each as soon as those it imports are (Go specification,
// Program initialization): this one imports next to nothing, and expectscope
// comes before github.com.
package hugepages
