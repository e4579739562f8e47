// Package muster holds those of the project's documents that the program itself
// shows: what it says of trust and of its limits to an accreditor is the text
// that everyone else reads.
package muster

import _ "embed"

// Security is SECURITY.md.
//
//go:embed SECURITY.md
var Security string
