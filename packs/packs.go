// Package packs holds the packs that come with muster, embedded: one folder a
// pack, named by its id, with the pack in pack.yaml. docs/spec/pack.md specifies
// the format; internal/framework reads it.
//
// Every folder with a pack.yaml is embedded. The package does not compile
// without any. Its tests hold a table of the packs with their versions and
// digests, and compare the languages of every text.
package packs

import "embed"

// FS holds the packs as ID/pack.yaml.
//
//go:embed */pack.yaml
var FS embed.FS
