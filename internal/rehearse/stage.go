package rehearse

import (
	"context"
	"crypto/sha256"
	"time"

	"muster/internal/aggregate"
	"muster/internal/coalition"
	"muster/internal/collect"
	"muster/internal/submit"
)

// Stage is where the two hosts of a rehearsal stand: in this process
// ([InProcess]), or each in a process of its own with a network between.
type Stage interface {
	// Prepare makes the keys of both hosts, Leader and Helper, and holds their
	// ceremony. It returns what a charter says of them.
	Prepare(ctx context.Context, cast Cast) (Introduction, error)
	// Approve takes the charter that the coordinator has signed, and returns it
	// with the signatures of both hosts.
	Approve(ctx context.Context, charter coalition.SignedCharter) (coalition.SignedCharter, error)
	// Open starts both hosts under the approved charter. What an interrupted run
	// left goes on.
	Open(ctx context.Context, world World) (Hosts, error)
	// Wipe ends the cycle at both hosts, which are closed, at the charter's day: each
	// destroys the submissions and what opens them. It returns their attestations, and
	// may be called again.
	Wipe(ctx context.Context, at time.Time) ([]coalition.SignedFile, error)
}

// Cast says who plays which part.
type Cast struct {
	Cycle string
	Hosts [2]coalition.MemberID // Leader, Helper
}

// Introduction is what a charter says of the hosts, and of how the coordinator
// reaches them.
type Introduction struct {
	Leader      coalition.HostCard
	Helper      coalition.HostCard
	Seed        [sha256.Size]byte // the digest of the hosts' seed
	Coordinator string            // the pin of its TLS key; empty where there is no network
}

// World is what hosts share with everyone else.
type World struct {
	Now    func() time.Time // the rehearsal's clock
	Record aggregate.Log    // the coordinator's record; hosts that keep their own leave it aside
}

// Hosts are both hosts, running. They answer members and coordinator until Close.
type Hosts interface {
	Leader() Leader
	Helper() submit.Receipts
	// SetClock moves the clocks of both hosts to the rehearsal's.
	SetClock(ctx context.Context) error
	// Postpone has both hosts sign an addendum that the coordinator has signed, and
	// take it. It returns it with all three signatures. What they have taken already
	// they take again.
	Postpone(ctx context.Context, addendum coalition.SignedAddendum) (coalition.SignedAddendum, error)
	// Freeze returns what each host shows once it has frozen its roster.
	Freeze(ctx context.Context) (leader, helper coalition.FrozenRoster, err error)
	// AddUp returns when both hosts have verified and added up what is on it.
	AddUp(ctx context.Context) error
	// Sign has both hosts sign a release that the coordinator has signed, and returns it
	// with all three signatures.
	Sign(ctx context.Context, release coalition.SignedFile) (coalition.SignedFile, error)
	// Records returns the records that the hosts keep themselves.
	Records() ([]Record, error)
	// Close stops both and waits for them.
	Close() error
}

// Leader is the Leader as members and coordinator reach it.
type Leader interface {
	submit.Leader
	collect.Leader
}

// Record is a record as its keeper wrote it.
type Record struct {
	Keeper string // "leader"
	Body   []byte
}
