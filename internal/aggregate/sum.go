package aggregate

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"muster/dap"
	"muster/vdaf"
)

// accepted is a verified report on its way into the batch.
type accepted struct {
	id    dap.ReportID
	time  dap.Time
	state *vdaf.State
}

// sum is what reports of one unit of time add up to.
type sum struct {
	aggregate *vdaf.Aggregate
	count     uint64
	checksum  dap.Checksum
}

// sums are the sums of some reports, by time.
type sums map[dap.Time]*sum

func (s sums) at(p *vdaf.Prio3, start dap.Time) *sum {
	if s[start] == nil {
		s[start] = &sum{aggregate: p.NewAggregate()}
	}
	return s[start]
}

// add adds reports up on the host's workers.
func (h *host) add(reports []accepted) (sums, error) {
	var (
		parts  = make([]sums, 0, h.Workers)
		failed = make(chan error, h.Workers)
		wg     sync.WaitGroup
	)
	for some := range slices.Chunk(reports, max(1, (len(reports)+h.Workers-1)/h.Workers)) {
		part := make(sums)
		parts = append(parts, part)
		wg.Go(func() {
			for _, r := range some {
				s := part.at(h.Task.VDAF, r.time)
				if err := s.aggregate.Add(r.state); err != nil {
					failed <- fmt.Errorf("add report %s: %w", r.id, err)
					return
				}
				s.count++
				s.checksum = s.checksum.Xor(r.id.Checksum())
			}
		})
	}
	wg.Wait()
	close(failed)
	if err := <-failed; err != nil {
		return nil, err
	}
	all := make(sums)
	for _, part := range parts {
		for start, s := range part {
			if err := all.at(h.Task.VDAF, start).merge(s); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

func (s *sum) merge(other *sum) error {
	s.count += other.count
	s.checksum = s.checksum.Xor(other.checksum)
	return s.aggregate.Merge(other.aggregate)
}

// addUp adds sums to the batch within a transaction: one bucket a unit of time,
// with count and checksum.
func (h *host) addUp(tx Tx, all sums) error {
	for _, start := range slices.Sorted(maps.Keys(all)) {
		s := all[start]
		bucket, ok, err := tx.Bucket(h.Task.ID, start)
		if err != nil {
			return err
		}
		total := h.Task.VDAF.NewAggregate()
		if ok {
			if total, err = h.Task.VDAF.DecodeAggregate(bucket.Share); err != nil {
				return fmt.Errorf("decode the stored aggregate share: %w", err)
			}
		}
		if err := total.Merge(s.aggregate); err != nil {
			return err
		}
		share, err := total.MarshalBinary()
		if err != nil {
			return err
		}
		err = tx.PutBucket(h.Task.ID, Bucket{
			Start: start, Share: share, Count: bucket.Count + s.count, Checksum: bucket.Checksum.Xor(s.checksum),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// total merges the batch: this host's aggregate share, the count, the checksum
// and the smallest interval that holds all reports.
func (h *host) total(tx Tx) (share []byte, count uint64, checksum dap.Checksum, span dap.Interval, err error) {
	buckets, err := tx.Buckets(h.Task.ID)
	if err != nil {
		return nil, 0, checksum, span, err
	}
	aggregate := h.Task.VDAF.NewAggregate()
	for _, b := range buckets {
		part, err := h.Task.VDAF.DecodeAggregate(b.Share)
		if err != nil {
			return nil, 0, checksum, span, fmt.Errorf("decode a stored aggregate share: %w", err)
		}
		if err := aggregate.Merge(part); err != nil {
			return nil, 0, checksum, span, err
		}
		count += b.Count
		checksum = checksum.Xor(b.Checksum)
		if span, err = span.Extend(b.Start); err != nil {
			return nil, 0, checksum, span, err
		}
	}
	share, err = aggregate.MarshalBinary()
	return share, count, checksum, span, err
}
