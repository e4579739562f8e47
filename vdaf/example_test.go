package vdaf_test

import (
	"crypto/rand"
	"fmt"
	"log"

	"muster/vdaf"
)

// Three members answer two questions, one of five levels and one of three. Neither aggregator learns
// an answer; together they learn how many chose each level.
func Example() {
	ctx := []byte("a text that names the task")
	p, err := vdaf.NewOneHotBlocks(2, []uint16{5, 3}, vdaf.ChunkLength(5+3))
	if err != nil {
		log.Fatal(err)
	}

	// The aggregators agree on a key that no client knows.
	var key [vdaf.VerifyKeySize]byte
	rand.Read(key[:])
	leader, err := p.NewVerifier(&key, ctx, 0)
	if err != nil {
		log.Fatal(err)
	}
	helper, err := p.NewVerifier(&key, ctx, 1)
	if err != nil {
		log.Fatal(err)
	}
	leaderSum, helperSum := p.NewAggregate(), p.NewAggregate()

	for _, answers := range [][]uint64{{4, 0}, {1, 2}, {4, 2}} {
		// A client splits its answers.
		var nonce [vdaf.NonceSize]byte
		rand.Read(nonce[:])
		random := make([]byte, p.RandSize())
		rand.Read(random)
		public, shares, err := p.Shard(ctx, answers, &nonce, random)
		if err != nil {
			log.Fatal(err)
		}

		// The aggregators check in one round trip that the report is valid, and add it up.
		var leaderState, helperState vdaf.State
		initialize, err := leader.LeaderInit(&leaderState, &nonce, public, shares[0], nil)
		if err != nil {
			log.Fatal(err)
		}
		finish, err := helper.HelperInit(&helperState, &nonce, public, shares[1], initialize, nil)
		if err != nil {
			log.Fatal(err)
		}
		if err := leader.LeaderFinish(&leaderState, finish); err != nil {
			log.Fatal(err)
		}
		if err := leaderSum.Add(&leaderState); err != nil {
			log.Fatal(err)
		}
		if err := helperSum.Add(&helperState); err != nil {
			log.Fatal(err)
		}
	}

	cells, err := p.Unshard([]*vdaf.Aggregate{leaderSum, helperSum}, 3)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(cells[:5], cells[5:])
	// Output: [0 1 0 0 2] [1 0 2]
}
