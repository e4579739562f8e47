package aggregate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"muster/dap"
	"muster/internal/errs"
	"muster/vdaf"
)

// opener opens a host's input shares and checks what DAP asks of each
// (DAP-18 4.5.3.2, input share decryption and validation).
type opener struct {
	task *Task
	role dap.Role
	keys map[uint8]*dap.HpkeKeypair
	aad  *dap.TaskAad // encoded once, the prefix of every report's associated data
}

func newOpener(task *Task, role dap.Role, pairs []*dap.HpkeKeypair) (opener, error) {
	o := opener{task: task, role: role, keys: make(map[uint8]*dap.HpkeKeypair)}
	for _, pair := range pairs {
		id := pair.Config().ID
		if o.keys[id] != nil {
			return opener{}, fmt.Errorf("aggregate: two HPKE keys have the id %d", id)
		}
		o.keys[id] = pair
	}
	if err := o.checkCharterKeys(); err != nil {
		return opener{}, err
	}
	var err error
	o.aad, err = dap.NewTaskAad(task.Variant, task.ID, task.Configuration)
	return o, err
}

// checkCharterKeys wants exactly the keys that the charter lists for this role.
// A key too few shows only when submissions do not open, and one that the
// charter lists for somebody else opens what is not meant for this host.
func (o opener) checkCharterKeys() error {
	listed := map[dap.Role]dap.HpkeConfigList{dap.RoleLeader: o.task.LeaderHPKE, dap.RoleHelper: o.task.HelperHPKE}[o.role]
	for _, config := range listed {
		key := o.keys[config.ID]
		if key == nil || !sameConfig(key.Config(), config) {
			return errs.New(errs.Invalid, fmt.Sprintf("the charter lists an HPKE key %d of the %v that this host does not hold", config.ID, o.role),
				"do not sign or serve this charter: submissions would be sealed to somebody else")
		}
	}
	if len(o.keys) != len(listed) {
		return errs.New(errs.Invalid, fmt.Sprintf("this host was given %d HPKE keys and the charter lists %d for the %v", len(o.keys), len(listed), o.role), "")
	}
	return nil
}

func sameConfig(a, b dap.HpkeConfig) bool {
	return a.ID == b.ID && a.KemID == b.KemID && a.KdfID == b.KdfID && a.AeadID == b.AeadID && bytes.Equal(a.PublicKey, b.PublicKey)
}

// open returns the VDAF input share, or what is wrong with the report. now is
// in units of the task's time precision, with the skew that is allowed added.
func (o opener) open(metadata dap.ReportMetadata, publicShare []byte, ciphertext dap.HpkeCiphertext, now dap.Time) ([]byte, dap.ReportError) {
	if e := o.checkTime(metadata.Time, now); e != 0 {
		return nil, e
	}
	key := o.keys[ciphertext.ConfigID]
	if key == nil {
		return nil, dap.HpkeDecryptError // DAP-18 4.5.3: an unknown key and a failed decryption look alike
	}
	aad, err := o.aad.Report(metadata, publicShare)
	if err != nil {
		return nil, dap.InvalidMessage
	}
	share, err := aad.Open(key, o.role, ciphertext)
	switch {
	case errors.Is(err, dap.ErrDecrypt):
		return nil, dap.HpkeDecryptError
	case err != nil:
		return nil, dap.InvalidMessage
	case len(metadata.PublicExtensions) > 0 || len(share.PrivateExtensions) > 0:
		return nil, dap.InvalidMessage // no report extension is known
	}
	return share.Payload, 0
}

// checkTime compares a report's time with the clock and the task interval.
func (o opener) checkTime(t, now dap.Time) dap.ReportError {
	switch {
	case t > now:
		return dap.ReportTooEarly
	case o.task.Interval.Compare(t) < 0:
		return dap.TaskNotStarted.In(o.task.Variant)
	case o.task.Interval.Compare(t) > 0:
		return dap.TaskExpired.In(o.task.Variant)
	}
	return 0
}

// latest returns the latest time that a report may carry now.
func (h *host) latest() (dap.Time, error) {
	return dap.TimeFromUnix(h.Now().Add(MaxSkew).Unix(), h.Task.Configuration.TimePrecision)
}

// verified is what one host holds of a report in a job.
type verified struct {
	body     []byte // at the Leader: the report as it is stored
	state    vdaf.State
	outbound []byte          // the ping-pong message for the other host
	err      dap.ReportError // zero if the report goes on
}

// memory is room for the reports of jobs. The output shares of a job are as
// large as its reports, so what one job is done with the next one uses.
type memory struct{ jobs sync.Pool }

// borrow returns room for n reports, which is the caller's until it gives it back.
func (m *memory) borrow(n int) []verified {
	room, _ := m.jobs.Get().(*[]verified)
	if room == nil || cap(*room) < n {
		return make([]verified, n)
	}
	some := (*room)[:n]
	for i := range some {
		some[i].outbound, some[i].err = some[i].outbound[:0], 0
	}
	return some
}

func (m *memory) giveBack(room []verified) { m.jobs.Put(&room) }

// forEach calls work for 0 to n-1 on the host's workers, each with a verifier
// of its own, and waits for all. It stops early when ctx ends.
func (h *host) forEach(ctx context.Context, n int, work func(i int, v *vdaf.Verifier) error) error {
	agg := uint8(0)
	if h.role == dap.RoleHelper {
		agg = 1
	}
	var (
		next   atomic.Int64
		wg     sync.WaitGroup
		failed = make(chan error, h.Workers) // one place for each worker
	)
	for range min(h.Workers, n) {
		wg.Go(func() {
			verifier, err := h.Task.VDAF.NewVerifier(&h.Task.verifyKey, h.context, agg)
			if err != nil {
				failed <- err
				return
			}
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				err := ctx.Err()
				if err == nil {
					err = work(i, verifier)
				}
				if err != nil {
					failed <- err
					next.Store(int64(n)) // the others stop at their next report
					return
				}
			}
		})
	}
	wg.Wait()
	close(failed)
	return <-failed // nil when nothing failed
}
