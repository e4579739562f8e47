package ledger

import (
	"context"
	"fmt"
	"sync"

	"muster/internal/errs"
	"muster/internal/keys"
)

// Log is a ledger in the memory of one process, for a rehearsal, for the
// demonstration where no log server runs, and for tests. It gives the same tiles
// and checkpoints as the log server does, and is gone with the process unless its
// resources are written down. Its methods may be called concurrently.
type Log struct {
	signer *keys.Signer

	mu     sync.Mutex
	tree   Tree
	leaves [][]byte
	ids    map[string]Hash // the leaf's hash by the statement's id
}

// NewLog returns an empty ledger, whose origin is the name of its key.
func NewLog(signer *keys.Signer) *Log { return &Log{signer: signer, ids: make(map[string]Hash)} }

// Add enters statements that are signed, in order. One that is there changes
// nothing; another one of the same id is refused with an error of kind Conflict,
// and then none is entered.
func (l *Log) Add(_ context.Context, statements ...Statement) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	fresh, err := Fresh(statements, func(id string) (Hash, bool) { h, ok := l.ids[id]; return h, ok })
	if err != nil {
		return err
	}
	for _, f := range fresh {
		l.tree.Append(f.Hash)
		l.leaves = append(l.leaves, f.Leaf)
		l.ids[f.ID] = f.Hash
	}
	return nil
}

// FreshLeaf is a statement that a ledger does not have yet.
type FreshLeaf struct {
	ID   string
	Leaf []byte
	Hash Hash
}

// Fresh returns what of statements a ledger lacks that knows the hash of each leaf
// by its id. Another statement of a known id is an error of kind Conflict.
func Fresh(statements []Statement, known func(id string) (Hash, bool)) ([]FreshLeaf, error) {
	var list []FreshLeaf
	own := make(map[string]Hash)
	for _, s := range statements {
		if s.Signature == "" {
			return nil, fmt.Errorf("ledger: an entry %s without the coordinator's signature", s.Kind)
		}
		leaf, err := s.Encode()
		if err != nil {
			return nil, err
		}
		id, hash := s.ID(), LeafHash(leaf)
		before, ok := known(id)
		if !ok {
			before, ok = own[id]
		}
		switch {
		case !ok:
			own[id] = hash
			list = append(list, FreshLeaf{id, leaf, hash})
		case before != hash:
			return nil, errs.New(errs.Conflict, fmt.Sprintf("the ledger has another entry %s of the cycle %s about the same", errs.Quote(string(s.Kind)), errs.Quote(s.Cycle)), "an entry is never changed; muster ledger show lists what is there")
		}
	}
	return list, nil
}

// Checkpoint returns a checkpoint of everything that was added, signed by the ledger.
func (l *Log) Checkpoint(context.Context) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.checkpoint()
}

func (l *Log) checkpoint() ([]byte, error) {
	root, err := RootAt(&l.tree, l.tree.Size())
	if err != nil {
		return nil, err
	}
	return Checkpoint{Origin: l.signer.Public().KeyName(), Size: l.tree.Size(), Root: root}.Sign(l.signer)
}

// Source returns the ledger's resources as they are when they are asked for.
func (l *Log) Source() Source { return logSource{l} }

type logSource struct{ log *Log }

func (s logSource) Resource(ctx context.Context, name string, limit int) ([]byte, error) {
	members, err := s.log.Members()
	if err != nil {
		return nil, err
	}
	return members.Resource(ctx, name, limit)
}

// Close does nothing: there is nothing to give back.
func (l *Log) Close(context.Context) error { return nil }

// Members returns the ledger's resources as they are now, the checkpoint first.
func (l *Log) Members() (Members, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	note, err := l.checkpoint()
	if err != nil {
		return nil, err
	}
	c, err := ReadCheckpoint(note)
	if err != nil {
		return nil, err
	}
	parts := make(map[string][]byte)
	if err := (&View{Checkpoint: c, Leaves: l.leaves, Tree: &l.tree}).resources(parts); err != nil {
		return nil, err
	}
	members := Members{{CheckpointName, note}}
	for _, name := range Resources(c.Size) {
		members = append(members, Member{name, parts[name]})
	}
	return members, nil
}
