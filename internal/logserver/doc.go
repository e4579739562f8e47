// Package logserver keeps a coalition's ledger on disk and serves it. Entries go
// through Tessera's storage for POSIX file systems; what a reader gets are static
// files, C2SP tlog-tiles.
//
//	log, err := logserver.Open(ctx, logserver.Config{Dir: dir, Signer: key, Policy: policy})
//	err = log.Add(ctx, statements...)
//	note, err := log.Publish(ctx, ask)
//	err = log.Close(ctx)
//
// What Add has taken is on disk when it returns. A folder has one writer at a
// time, which holds a lock. What is published are checkpoints that enough
// witnesses have cosigned, each of which is kept.
//
// Writing builds on Unix alone, because Tessera's storage does. What reads a folder
// and serves it, [Folder] and [Handler], builds everywhere.
package logserver
