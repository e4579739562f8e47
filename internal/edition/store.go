package edition

import (
	"context"
	"time"

	"muster/internal/coalition"
	"muster/internal/cycle"
)

// Store keeps releases and editions beside the year. Its methods may be called
// concurrently.
type Store interface {
	// InTx runs fn in one transaction. When it returns nil, everything that fn did is
	// durable; otherwise nothing of it happened. fn may run more than once, and
	// transactions follow each other as if they ran one by one.
	InTx(ctx context.Context, name string, fn func(Tx) error) error

	// View runs fn on what was there at one moment. fn may run more than once.
	View(ctx context.Context, name string, fn func(Reader) error) error
}

// Reader reads what is kept, within the function that it was given to. Of what is not
// there it returns false and no error.
type Reader interface {
	cycle.Reader

	// Releases returns those that are kept, in the order in which they were; Release
	// one by the digest of its file.
	Releases() ([]Kept, error)
	Release(digest string) (Kept, bool, error)

	// Versions returns the versions of the editions of a cycle, by edition and number,
	// without their texts; Version one with its text.
	Versions(id cycle.ID) ([]Version, error)
	Version(id cycle.ID, name Name, number int) (Version, bool, error)

	// Acts returns what was done with the editions of a cycle, of every cycle where id
	// is empty, by edition and number; File returns the file with a digest.
	Acts(id cycle.ID) ([]Act, error)
	File(digest string) ([]byte, bool, error)
}

// Tx reads and writes, within the function that it was given to. What it keeps is only
// ever added to: what has the same place as another is refused.
type Tx interface {
	Reader
	cycle.Tx

	AddRelease(k Kept) error
	AddVersion(v Version) error

	// AddAct adds an act; its file, where it has one, is kept by its digest.
	AddAct(a Act, file []byte) error
}

// Kept is a release as the coordinator keeps it, with whose answers it counts.
type Kept struct {
	Digest  string // hex SHA-256 of the file
	Cycle   cycle.ID
	Cohort  string
	Body    []byte
	Members []coalition.MemberID // its roster
	By      string
	At      time.Time
}

// Version is a text as somebody wrote it. It does not change.
type Version struct {
	Cycle  cycle.ID
	Name   Name
	Number int // from 1, without a gap
	Text   string
	By     string
	At     time.Time
}

// Deed is what was done with a version.
type Deed string

// The deeds.
const (
	Proposed  Deed = "proposed"  // resolved and attacked, and asked of a second person
	Silent    Deed = "silence"   // the chair's steps say that it is under silence
	Adopted   Deed = "adopted"   // the chair's steps say so
	Reopened  Deed = "reopened"  // the same
	Published Deed = "published" // whom it is for reads it, when its embargo ends
	Withdrawn Deed = "withdrawn" // nobody reads it any more
)

// Act is one of these.
type Act struct {
	Cycle   cycle.ID
	Name    Name
	Seq     int // of the edition's acts, from 1 without a gap
	Number  int // of the version
	Deed    Deed
	Digest  string    // hex SHA-256 of the edition's file
	Request int64     // of Proposed
	Until   time.Time // of Silent: when the silence ends
	Reason  string    // of Withdrawn; of Silent, Adopted and Reopened the digest of the chair's last step
	By      string
	At      time.Time
}
