package cli

import (
	"context"
	"fmt"
	"strconv"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/coalition"
	"muster/internal/daphttp"
	"muster/internal/errs"
	"muster/internal/ledger"
	"muster/internal/store/hostdb"
)

// reconcile lets a host that was restored from a backup ask the other one, before
// it does anything else, and take over what both had signed. Without an answer a
// Helper does nothing. A Leader goes on and asks again at its next start: whatever
// it has forgotten, the Helper keeps.
func (r *runningHost) reconcile(ctx context.Context, env Env) error {
	pending, ok, err := r.db.PendingRestoration(ctx)
	if err != nil || !ok {
		return err
	}
	say(env, "this host was restored from a backup of %s: it asks the other host", dayText(pending.Taken))
	for _, cohort := range r.cycle.charter.Cohorts {
		err := r.reconcileTask(ctx, env, cohort, pending.Statement)
		if errs.KindOf(err) == errs.Unavailable && r.cycle.role == dap.RoleLeader {
			warn(env, "the other host does not answer: %s; it is asked again at the next start", errs.Describe(err).Message)
			return nil
		}
		if err != nil {
			return err
		}
	}
	err = r.record.Append(ctx, ledger.Entry{
		ID: fmt.Sprintf("restoration %s %d", pending.Backup, pending.Restored.UnixMicro()), Kind: "restoration",
		Data: map[string]string{"backup": pending.Backup, "taken": strconv.FormatInt(pending.Taken.Unix(), 10), "coordinator": string(pending.Statement)},
	})
	if err != nil {
		return err
	}
	return r.db.FinishRestorations(ctx)
}

func (r *runningHost) reconcileTask(ctx context.Context, env Env, cohort coalition.Cohort, statement hostdb.Statement) error {
	var done aggregate.Reconciled
	var err error
	if leader := r.leader(cohort); leader != nil {
		var other *daphttp.HelperClient
		if other, err = r.helperClient(leader.Task); err != nil {
			return err
		}
		defer other.Close()
		done, err = leader.Reconcile(ctx, other)
	} else {
		helper := r.helper(cohort)
		var other *daphttp.LeaderClient
		if other, err = r.leaderClient(helper.Task); err != nil {
			return err
		}
		defer other.Close()
		if done, err = helper.Reconcile(ctx, other); err == nil && statement == hostdb.Collected {
			var locked bool
			locked, err = helper.Lock(ctx)
			done.Locked = done.Locked || locked
		}
	}
	if err != nil {
		return err
	}
	if done.Addenda > 0 {
		status, err := aggregate.ReadStatus(ctx, aggregate.StatusConfig{Charter: r.cycle.charter, Cohort: cohort.ID, Store: r.db, Now: env.Now})
		if err != nil {
			return err
		}
		say(env, "%s: taken over from the other host: %s; the deadline is %s", cohort.ID, plural(done.Addenda, "1 postponement", "%d postponements"), dayText(status.Deadline))
	}
	if done.Roster || done.Receipts > 0 || done.Amendments > 0 {
		say(env, "%s: taken over from the other host: the roster, %s, %s", cohort.ID, plural(done.Receipts, "1 receipt", "%d receipts"), plural(done.Amendments, "1 amendment", "%d amendments"))
	}
	switch {
	case done.Locked:
		say(env, "%s: this host's sum had left: it gives none any more, and signs no amendment", cohort.ID)
	case r.cycle.role == dap.RoleHelper && done.Roster:
		say(env, "%s: what was verified since the backup is forgotten here: at the Leader, muster host freeze --again", cohort.ID)
	}
	return nil
}

// askAttempts is how often the other host is asked before it counts as not there.
const askAttempts = 3

// helperClient reaches the Helper as the Leader.
func (r *runningHost) helperClient(task *aggregate.Task) (*daphttp.HelperClient, error) {
	pin, err := daphttp.ParsePin(r.cycle.charter.Helper.Certificate)
	if err != nil {
		return nil, err
	}
	return daphttp.NewHelperClient(daphttp.ClientConfig{
		Endpoint: task.Configuration.HelperAggregatorEndpoint, TLS: daphttp.ClientTLS(&r.cycle.certificate, pin), Attempts: askAttempts,
	})
}

// leaderClient reaches the Leader as the Helper.
func (r *runningHost) leaderClient(task *aggregate.Task) (*daphttp.LeaderClient, error) {
	pin, err := daphttp.ParsePin(r.cycle.charter.Leader.Certificate)
	if err != nil {
		return nil, err
	}
	return daphttp.NewLeaderClient(daphttp.ClientConfig{
		Endpoint: task.Configuration.LeaderAggregatorEndpoint, TLS: daphttp.ClientTLS(&r.cycle.certificate, pin), Attempts: askAttempts,
	})
}
