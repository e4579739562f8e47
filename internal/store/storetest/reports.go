package storetest

import (
	"bytes"
	"errors"
	"testing"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/errs"
)

func reports(t *testing.T, d *db, id dap.TaskID, numbers ...int) map[dap.ReportID][]byte {
	t.Helper()
	ids := make([]dap.ReportID, len(numbers))
	for i, n := range numbers {
		ids[i] = report(n)
	}
	return read(t, d, func(tx aggregate.Tx) (map[dap.ReportID][]byte, error) { return tx.Reports(id, ids) })
}

func settled(t *testing.T, d *db, id dap.TaskID) map[dap.ReportID]aggregate.Outcome {
	t.Helper()
	return read(t, d, func(tx aggregate.Tx) (map[dap.ReportID]aggregate.Outcome, error) { return tx.Settled(id) })
}

func reportTests() []test {
	put := func(t *testing.T, d *db, n int, body []byte) bool {
		t.Helper()
		return read(t, d, func(tx aggregate.Tx) (bool, error) { return tx.PutReport(task, report(n), body) })
	}
	settle := func(t *testing.T, d *db, n int, o aggregate.Outcome) bool {
		t.Helper()
		return read(t, d, func(tx aggregate.Tx) (bool, error) {
			fresh, err := tx.Settle(task, []aggregate.Settlement{{Report: report(n), Outcome: o}})
			return fresh[report(n)], err
		})
	}
	return []test{
		{"uploaded reports come back", func(t *testing.T, d *db) {
			d.create(t)
			large := bytes.Repeat([]byte{0, 0xff, '\''}, 300_000)
			exact(t, "kept the first", true, put(t, d, 1, []byte("one")))
			exact(t, "kept the second", true, put(t, d, 2, large))
			same(t, "some of the reports", map[dap.ReportID][]byte{report(2): large}, reports(t, d, task, 2, 3))
			same(t, "all reports", map[dap.ReportID][]byte{report(1): []byte("one"), report(2): large}, reports(t, d, task, 3, 2, 1, 1))
			same(t, "none of the reports", map[dap.ReportID][]byte{}, reports(t, d, task))
			same(t, "reports of the other task", map[dap.ReportID][]byte{}, reports(t, d, other, 1, 2))
		}},
		{"those with a receipt", func(t *testing.T, d *db) {
			d.create(t)
			d.do(t, func(tx aggregate.Tx) error {
				for n := range 3 {
					if err := tx.PutReceipt(task, receipt(t, task, "a", uint64(n+1), n)); err != nil {
						return err
					}
				}
				_, err := tx.SetAside(task, "a", 2)
				return err
			})
			claimed := func(id dap.TaskID, numbers ...int) map[dap.ReportID]bool {
				var ids []dap.ReportID
				for _, n := range numbers {
					ids = append(ids, report(n))
				}
				return read(t, d, func(tx aggregate.Tx) (map[dap.ReportID]bool, error) { return tx.Claimed(id, ids) })
			}
			same(t, "claimed", map[dap.ReportID]bool{report(0): true, report(1): true}, claimed(task, 0, 1, 7))
			same(t, "claimed of none", map[dap.ReportID]bool{}, claimed(task))
			same(t, "claimed of the other task", map[dap.ReportID]bool{}, claimed(other, 0, 1))
		}},
		{"the same report again is no replay", func(t *testing.T, d *db) {
			d.create(t)
			put(t, d, 1, []byte("one"))
			exact(t, "kept the same again", true, put(t, d, 1, []byte("one")))
			exact(t, "kept other bytes under that id", false, put(t, d, 1, []byte("two")))
			same(t, "the report", map[dap.ReportID][]byte{report(1): []byte("one")}, reports(t, d, task, 1))
		}},
		{"more than a job holds", func(t *testing.T, d *db) {
			d.create(t)
			want := make(map[dap.ReportID][]byte)
			var numbers []int
			d.do(t, func(tx aggregate.Tx) error {
				clear(want)
				numbers = nil
				for n := range dap.MaxJobReports + 1 {
					body := []byte{byte(n), byte(n >> 8)}
					if _, err := tx.PutReport(task, report(n), body); err != nil {
						return err
					}
					want[report(n)], numbers = body, append(numbers, n)
				}
				return nil
			})
			same(t, "reports", want, reports(t, d, task, numbers...))
		}},
		{"a report is settled once", func(t *testing.T, d *db) {
			d.create(t)
			accepted, rejected := aggregate.Outcome{Accepted: true}, aggregate.Outcome{Error: dap.VdafVerifyError}
			exact(t, "settled the first", true, settle(t, d, 1, accepted))
			exact(t, "settled the second", true, settle(t, d, 2, rejected))
			exact(t, "settled the first again", false, settle(t, d, 1, accepted))
			exact(t, "settled the first otherwise", false, settle(t, d, 1, rejected))
			exact(t, "settled the second otherwise", false, settle(t, d, 2, accepted))
			want := map[dap.ReportID]aggregate.Outcome{report(1): accepted, report(2): rejected}
			same(t, "settled reports", want, settled(t, d, task))
			same(t, "settled reports of the other task", map[dap.ReportID]aggregate.Outcome{}, settled(t, d, other))
		}},
		{"many reports are settled at once", func(t *testing.T, d *db) {
			d.create(t)
			const n = 2*dap.MaxJobReports + 3
			settle(t, d, 4, aggregate.Outcome{Error: dap.ReportDropped})
			want := map[dap.ReportID]aggregate.Outcome{report(4): {Error: dap.ReportDropped}}
			var list []aggregate.Settlement
			for i := range n {
				s := aggregate.Settlement{Report: report(i), Outcome: aggregate.Outcome{Accepted: i%3 != 0}}
				if i%3 == 0 {
					s.Outcome.Error = dap.VdafVerifyError
				}
				if list = append(list, s); i != 4 {
					want[s.Report] = s.Outcome
				}
			}
			list = append(list, aggregate.Settlement{Report: report(1), Outcome: aggregate.Outcome{Error: dap.ReportDropped}}) // the first counts
			fresh := read(t, d, func(tx aggregate.Tx) (map[dap.ReportID]bool, error) { return tx.Settle(task, list) })
			exact(t, "the report that was settled before is fresh", false, fresh[report(4)])
			exact(t, "fresh reports", n-1, len(fresh))
			same(t, "settled reports", want, settled(t, d, task))
			none := read(t, d, func(tx aggregate.Tx) (map[dap.ReportID]bool, error) { return tx.Settle(task, nil) })
			exact(t, "fresh of none", 0, len(none))
		}},
		{"every reason", func(t *testing.T, d *db) {
			d.create(t)
			want := make(map[dap.ReportID]aggregate.Outcome)
			for e := dap.BatchCollected; e <= dap.UnknownVerificationKeyID; e++ {
				want[report(int(e))] = aggregate.Outcome{Error: e}
				settle(t, d, int(e), aggregate.Outcome{Error: e})
			}
			same(t, "settled reports", want, settled(t, d, task))
		}},
		{"an outcome that contradicts itself", func(t *testing.T, d *db) {
			d.create(t)
			for what, o := range map[string]aggregate.Outcome{
				"rejected without a reason": {},
				"accepted with a reason":    {Accepted: true, Error: dap.ReportDropped},
				"an unknown reason":         {Error: 200},
			} {
				d.fails(t, what, func(tx aggregate.Tx) error {
					_, err := tx.Settle(task, []aggregate.Settlement{{Report: report(2), Outcome: aggregate.Outcome{Accepted: true}}, {Report: report(1), Outcome: o}})
					return err
				})
			}
			same(t, "settled reports", map[dap.ReportID]aggregate.Outcome{}, settled(t, d, task))
		}},
		{"a report need not be stored to be settled", func(t *testing.T, d *db) {
			d.create(t) // the Helper stores none
			exact(t, "settled", true, settle(t, d, 1, aggregate.Outcome{Accepted: true}))
		}},
	}
}

func jobs(t *testing.T, d *db, id dap.TaskID) []aggregate.Job {
	t.Helper()
	return read(t, d, func(tx aggregate.Tx) ([]aggregate.Job, error) { return tx.Jobs(id) })
}

func job(t *testing.T, d *db, number int) aggregate.Job {
	t.Helper()
	return read(t, d, func(tx aggregate.Tx) (aggregate.Job, error) {
		job, err := tx.Job(task, number)
		if err != nil {
			return aggregate.Job{}, err
		}
		return job, tx.JobReports(task, number, func(id dap.ReportID, _ []byte) error {
			job.Reports = append(job.Reports, id)
			return nil
		})
	})
}

func jobTests() []test {
	ids := func(numbers ...int) []dap.ReportID {
		list := make([]dap.ReportID, len(numbers))
		for i, n := range numbers {
			list[i] = report(n)
		}
		return list
	}
	planned := []aggregate.Job{{Number: 0, Reports: ids(5, 3, 9)}, {Number: 1, Reports: ids(1)}, {Number: 2, Reports: ids(2, 8)}}
	plan := func(id dap.TaskID, jobs ...aggregate.Job) func(aggregate.Tx) error {
		return func(tx aggregate.Tx) error { return tx.PlanJobs(id, jobs) }
	}
	request := func(number int, body []byte) func(aggregate.Tx) error {
		return func(tx aggregate.Tx) error { return tx.PutJobRequest(task, number, body) }
	}
	finish := func(number int) func(aggregate.Tx) error {
		return func(tx aggregate.Tx) error { return tx.FinishJob(task, number) }
	}
	return []test{
		{"the plan comes back in order", func(t *testing.T, d *db) {
			d.create(t)
			d.do(t, plan(task, planned...))
			same(t, "plan", planned, jobs(t, d, task))
			exact(t, "a job", planned[2], job(t, d, 2))
			same(t, "plan of the other task", []aggregate.Job{}, jobs(t, d, other))
		}},
		{"the reports of a job come with their bytes", func(t *testing.T, d *db) {
			d.create(t)
			stored := map[dap.ReportID][]byte{report(5): []byte("five"), report(9): bytes.Repeat([]byte{0, 0xff}, 20_000), report(1): []byte("one")}
			d.do(t, plan(task, planned...))
			d.do(t, func(tx aggregate.Tx) error {
				for id, body := range stored {
					if _, err := tx.PutReport(task, id, body); err != nil {
						return err
					}
				}
				_, err := tx.PutReport(other, report(3), []byte("of another task"))
				return err
			})
			var order []dap.ReportID
			bodies := read(t, d, func(tx aggregate.Tx) (map[dap.ReportID][]byte, error) {
				order = nil
				got := make(map[dap.ReportID][]byte)
				return got, tx.JobReports(task, 0, func(id dap.ReportID, body []byte) error {
					order, got[id] = append(order, id), bytes.Clone(body)
					return nil
				})
			})
			same(t, "order", planned[0].Reports, order)
			same(t, "bytes", map[dap.ReportID][]byte{report(5): stored[report(5)], report(3): nil, report(9): stored[report(9)]}, bodies)
			stop := errors.New("enough")
			calls := 0
			err := d.InTx(t.Context(), "stop early", func(tx aggregate.Tx) error {
				calls = 0
				return tx.JobReports(task, 0, func(dap.ReportID, []byte) error { calls++; return stop })
			})
			if !errors.Is(err, stop) || calls != 1 {
				t.Errorf("%d calls and the error %v, want one and %q", calls, err, stop)
			}
		}},
		{"a plan of many jobs", func(t *testing.T, d *db) {
			d.create(t)
			var want []aggregate.Job
			for n := range dap.MaxJobReports + 2 {
				want = append(want, aggregate.Job{Number: n, Reports: ids(2*n+1, 2*n)})
			}
			d.do(t, plan(task, want...))
			same(t, "plan", want, jobs(t, d, task))
		}},
		{"a job without reports", func(t *testing.T, d *db) {
			d.create(t)
			want := []aggregate.Job{{Number: 0}, {Number: 1, Reports: ids(1)}, {Number: 2}}
			d.do(t, plan(task, want...))
			same(t, "plan", want, jobs(t, d, task))
		}},
		{"there is one plan", func(t *testing.T, d *db) {
			d.create(t)
			d.do(t, plan(task, planned...))
			d.refuses(t, errs.Conflict, "the same plan again", plan(task, planned...))
			d.refuses(t, errs.Conflict, "a further job", plan(task, aggregate.Job{Number: 3, Reports: ids(100)}))
			same(t, "plan", planned, jobs(t, d, task))
			d.do(t, plan(other, planned...))
		}},
		{"an empty plan", func(t *testing.T, d *db) {
			d.create(t)
			d.do(t, plan(task))
			same(t, "plan", []aggregate.Job{}, jobs(t, d, task))
		}},
		{"a report is in one job", func(t *testing.T, d *db) {
			d.create(t)
			d.fails(t, "a report in two jobs", plan(task, aggregate.Job{Number: 0, Reports: ids(1, 2)}, aggregate.Job{Number: 1, Reports: ids(3, 1)}))
			d.fails(t, "a report twice in a job", plan(task, aggregate.Job{Number: 0, Reports: ids(1, 1)}))
			d.fails(t, "two jobs of one number", plan(task, aggregate.Job{Number: 0, Reports: ids(1)}, aggregate.Job{Number: 0, Reports: ids(2)}))
			same(t, "plan", []aggregate.Job{}, jobs(t, d, task))
		}},
		{"an unknown job", func(t *testing.T, d *db) {
			d.create(t)
			d.do(t, plan(task, planned...))
			d.fails(t, "Job", func(tx aggregate.Tx) error {
				_, err := tx.Job(task, 7)
				return err
			})
			d.fails(t, "PutJobRequest", request(7, []byte("x")))
			d.fails(t, "FinishJob", finish(7))
		}},
		{"a request is fixed", func(t *testing.T, d *db) {
			d.create(t)
			d.do(t, plan(task, planned...))
			d.do(t, request(1, []byte("first")))
			d.refuses(t, errs.Conflict, "another request", request(1, []byte("second")))
			want := planned[1]
			want.Request = []byte("first")
			exact(t, "the job", want, job(t, d, 1))
			exact(t, "another job", planned[0], job(t, d, 0))
			same(t, "the plan has no requests", planned, jobs(t, d, task))
		}},
		{"an empty request is a request", func(t *testing.T, d *db) {
			d.create(t)
			d.do(t, plan(task, planned...))
			d.do(t, request(1, []byte{}))
			want := planned[1]
			want.Request = []byte{}
			exact(t, "the job, whose request is not nil", want, job(t, d, 1))
			d.refuses(t, errs.Conflict, "another request", request(1, []byte("second")))
			d.do(t, finish(1))
		}},
		{"a job is finished once", func(t *testing.T, d *db) {
			d.create(t)
			d.do(t, plan(task, planned...))
			d.fails(t, "a job without request", finish(1))
			d.do(t, request(1, []byte("request")))
			d.do(t, finish(1))
			d.refuses(t, errs.Conflict, "a finished job", finish(1))
			want := []aggregate.Job{planned[0], planned[1], planned[2]}
			want[1].Done = true
			same(t, "plan", want, jobs(t, d, task))
			exact(t, "done", true, job(t, d, 1).Done)
			exact(t, "the request of a finished job", []byte("request"), job(t, d, 1).Request)
		}},
		{"responses", func(t *testing.T, d *db) {
			d.create(t)
			response := func(id dap.TaskID, job string) ([]byte, bool) {
				return lookup(t, d, func(tx aggregate.Tx) ([]byte, bool, error) { return tx.Response(id, job) })
			}
			put := func(job string, body []byte) func(aggregate.Tx) error {
				return func(tx aggregate.Tx) error { return tx.PutResponse(task, job, body) }
			}
			if _, ok := response(task, "a"); ok {
				t.Error("a response before there was one")
			}
			d.do(t, put("a", []byte("first")))
			d.do(t, put("empty", []byte{}))
			d.fails(t, "another response", put("a", []byte("second")))
			body, ok := response(task, "a")
			exact(t, "found", true, ok)
			exact(t, "response", []byte("first"), body)
			body, ok = response(task, "empty")
			exact(t, "found the empty one", true, ok)
			exact(t, "length of the empty one", 0, len(body))
			if _, ok := response(task, "A"); ok {
				t.Error("a response under another id")
			}
			if _, ok := response(other, "a"); ok {
				t.Error("a response in another task")
			}
		}},
	}
}

func bucket(start dap.Time, count uint64) aggregate.Bucket {
	return aggregate.Bucket{Start: start, Count: count, Share: []byte{byte(start), 0, 0xff}, Checksum: dap.Checksum{byte(count), 31: 7}}
}

func buckets(t *testing.T, d *db, id dap.TaskID) []aggregate.Bucket {
	t.Helper()
	return read(t, d, func(tx aggregate.Tx) ([]aggregate.Bucket, error) { return tx.Buckets(id) })
}

func collection(t *testing.T, d *db, id dap.TaskID) (aggregate.Collection, bool) {
	t.Helper()
	return lookup(t, d, func(tx aggregate.Tx) (aggregate.Collection, bool, error) { return tx.Collection(id) })
}

func batchTests() []test {
	put := func(b aggregate.Bucket) func(aggregate.Tx) error {
		return func(tx aggregate.Tx) error { return tx.PutBucket(task, b) }
	}
	get := func(t *testing.T, d *db, id dap.TaskID, start dap.Time) (aggregate.Bucket, bool) {
		t.Helper()
		return lookup(t, d, func(tx aggregate.Tx) (aggregate.Bucket, bool, error) { return tx.Bucket(id, start) })
	}
	return []test{
		{"buckets come back by time", func(t *testing.T, d *db) {
			d.create(t)
			want := []aggregate.Bucket{bucket(0, 3), bucket(9, 2), bucket(10, 1), bucket(1<<40, 1<<40)}
			for _, i := range []int{2, 0, 3, 1} {
				d.do(t, put(want[i]))
			}
			same(t, "buckets", want, buckets(t, d, task))
			got, ok := get(t, d, task, 9)
			exact(t, "found", true, ok)
			exact(t, "bucket", want[1], got)
			if b, ok := get(t, d, task, 8); ok {
				t.Errorf("a bucket to which nothing was added: %v", b)
			}
			if b, ok := get(t, d, other, 9); ok {
				t.Errorf("a bucket of another task: %v", b)
			}
			same(t, "buckets of the other task", []aggregate.Bucket{}, buckets(t, d, other))
		}},
		{"a bucket is replaced", func(t *testing.T, d *db) {
			d.create(t)
			d.do(t, put(bucket(4, 1)))
			next := bucket(4, 2)
			next.Share = bytes.Repeat([]byte{5}, 20_000*16)
			d.do(t, put(next))
			same(t, "buckets", []aggregate.Bucket{next}, buckets(t, d, task))
		}},
		{"one start in two tasks", func(t *testing.T, d *db) {
			d.create(t)
			d.do(t, put(bucket(4, 1)))
			d.do(t, func(tx aggregate.Tx) error { return tx.PutBucket(other, bucket(4, 2)) })
			same(t, "buckets", []aggregate.Bucket{bucket(4, 1)}, buckets(t, d, task))
			same(t, "buckets of the other task", []aggregate.Bucket{bucket(4, 2)}, buckets(t, d, other))
		}},
		{"a bucket of nothing is refused", func(t *testing.T, d *db) {
			d.create(t)
			d.fails(t, "count 0", put(bucket(4, 0)))
			d.fails(t, "a count that overflows", put(bucket(4, 1<<63)))
			d.fails(t, "a time that overflows", put(bucket(1<<63, 1)))
			same(t, "buckets", []aggregate.Bucket{}, buckets(t, d, task))
		}},
		{"a collection gets its response once", func(t *testing.T, d *db) {
			d.create(t)
			collect(t, d, "request", nil)
			collect(t, d, "request", nil) // begun again after an interruption
			collect(t, d, "request", []byte("response"))
			for what, c := range map[string]aggregate.Collection{
				"another response": {Request: []byte("request"), Response: []byte("second")},
				"another request":  {Request: []byte("another"), Response: []byte("response")},
				"a new beginning":  {Request: []byte("another")},
			} {
				d.refuses(t, errs.Conflict, what, func(tx aggregate.Tx) error { return tx.PutCollection(task, c) })
			}
			// Whether it is refused or not, it changes nothing.
			_ = d.InTx(t.Context(), "take the response away", func(tx aggregate.Tx) error {
				return tx.PutCollection(task, aggregate.Collection{Request: []byte("request")})
			})
			wantCollection(t, d, "request", []byte("response"))
			if c, ok := collection(t, d, other); ok {
				t.Errorf("the other task has a collection: %v", c)
			}
		}},
		{"another request is refused before the response", func(t *testing.T, d *db) {
			d.create(t)
			collect(t, d, "request", nil)
			for what, response := range map[string][]byte{"without response": nil, "with a response": []byte("response")} {
				d.refuses(t, errs.Conflict, what, func(tx aggregate.Tx) error {
					return tx.PutCollection(task, aggregate.Collection{Request: []byte("another"), Response: response})
				})
			}
			wantCollection(t, d, "request", nil)
		}},
		{"a collection at once", func(t *testing.T, d *db) {
			d.create(t)
			collect(t, d, "request", []byte("response"))
			wantCollection(t, d, "request", []byte("response"))
		}},
		{"an empty response is a response", func(t *testing.T, d *db) {
			d.create(t)
			collect(t, d, "request", []byte{})
			wantCollection(t, d, "request", []byte{})
			d.refuses(t, errs.Conflict, "another response", func(tx aggregate.Tx) error {
				return tx.PutCollection(task, aggregate.Collection{Request: []byte("request"), Response: []byte("second")})
			})
			wantCollection(t, d, "request", []byte{})
		}},
	}
}

func collect(t *testing.T, d *db, request string, response []byte) {
	t.Helper()
	d.do(t, func(tx aggregate.Tx) error {
		return tx.PutCollection(task, aggregate.Collection{Request: []byte(request), Response: response})
	})
	wantCollection(t, d, request, response)
}

// wantCollection checks the collection; a response that is nil is none, and one
// that is empty is one.
func wantCollection(t *testing.T, d *db, request string, response []byte) {
	t.Helper()
	got, ok := collection(t, d, task)
	if !ok {
		t.Error("no collection")
	}
	exact(t, "collection", aggregate.Collection{Request: []byte(request), Response: response}, got)
}
