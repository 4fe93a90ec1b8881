//go:build !cgo

package live

const withCgo = false
