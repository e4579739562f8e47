// Package vdaf implements Prio3, the verifiable distributed aggregation function of
// draft-irtf-cfrg-vdaf-20 (version 18 on the wire), over TurboSHAKE128, with a circuit of our own,
// OneHotBlocks.
//
// A client shards its measurement into one share for each aggregator. The aggregators verify in one
// round, without seeing the measurement, that it is of the agreed form, and add their shares up. The
// sums, put together, are the result. As long as one aggregator is honest nobody learns more than
// the result; as long as all are, no client can contribute anything but one valid measurement.
//
//	type                  id          measurement                    result
//	Count                 0x00000001  0 or 1                         how many ones
//	Sum                   0x00000002  a number up to a maximum       their sum
//	SumVec                0x00000003  a vector of such numbers       the sum of the vectors
//	Histogram             0x00000004  the index of a bucket          how many in each bucket
//	MultihotCountVec      0x00000005  bits, at most so many set      how many set each bit
//	OneHotBlocks          0xFFFF0001  the index of a bucket in each  how many in each bucket
//	                                  of several blocks
//	SumVecWithMultiproof  0xFFFFFFFF  as SumVec                      as SumVec; experimental
//
// Count, Sum and SumVecWithMultiproof work over Field64, all others over Field128. There may be 2 to
// 255 aggregators.
//
// # Use
//
// A [Prio3] is made by one of the constructors, or by [FromConfig] from the configuration that a task
// carries; all parties need the same. The client calls [Prio3.Shard]. Each aggregator makes a
// [Verifier] with the key that it shares with the others, one for each goroutine, and passes every
// report through it into a [State] and, once verified, into an [Aggregate]. [Prio3.Unshard] turns
// the aggregates into the result.
//
// Two aggregators talk in the ping-pong topology of VDAF-20 section 5.7.1: LeaderInit, HelperInit,
// LeaderFinish, one round trip. Any number of them exchange verifier shares by Init,
// VerifierSharesToMessage and Next.
//
// # What it promises
//
// All bytes are those of the draft; its test vectors, and others made by its reference
// implementation, are part of the tests. Decoding is strict: lengths are exact and field elements
// are less than the modulus. Secrets are handled in constant time: no branch and no address depends
// on a measurement, a share or a key, rejected samples aside, which occur once in 2**59 elements of
// Field128 and once in 2**32 of Field64. Verification allocates no memory for a report.
//
// What it leaves to the caller: a nonce must be fresh for each report and never verified twice under
// one key; the parameters must be bound to the context or to what encrypts the shares, since Prio3
// itself binds only the id and the context; a report must be counted once.
//
// The argument for OneHotBlocks is in docs/design/one-hot-blocks.md.
package vdaf
