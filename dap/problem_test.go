package dap_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
)

func problemTypes() map[dap.ProblemType]string {
	return map[dap.ProblemType]string{
		dap.ProblemInvalidMessage:              "invalidMessage",
		dap.ProblemUnrecognizedTask:            "unrecognizedTask",
		dap.ProblemUnrecognizedAggregationJob:  "unrecognizedAggregationJob",
		dap.ProblemBatchInvalid:                "batchInvalid",
		dap.ProblemInvalidBatchSize:            "invalidBatchSize",
		dap.ProblemInvalidAggregationParameter: "invalidAggregationParameter",
		dap.ProblemBatchMismatch:               "batchMismatch",
		dap.ProblemStepMismatch:                "stepMismatch",
		dap.ProblemBatchOverlap:                "batchOverlap",
		dap.ProblemUnsupportedExtension:        "unsupportedExtension",
		dap.ProblemInvalidExtension:            "invalidExtension",
	}
}

func TestProblemTypes(t *testing.T) {
	t.Parallel()
	titles := map[string]bool{}
	for typ, token := range problemTypes() {
		if string(typ) != "urn:ietf:params:ppm:dap:error:"+token {
			t.Errorf("%s: %s", token, typ)
		}
		if typ.Title() == "" || titles[typ.Title()] {
			t.Errorf("%s: title %q", token, typ.Title())
		}
		titles[typ.Title()] = true
		p := dap.NewProblem(typ, "why")
		if p.Status != 400 || p.Title != typ.Title() || p.Error() != "dap: problem "+token+` (status 400): "why"` {
			t.Errorf("%s: %+v: %s", token, *p, p)
		}
	}
	if dap.ProblemBlank.Title() != "" || dap.ProblemType("x").Title() != "" {
		t.Error("titles of foreign types")
	}
}

func TestProblemJSON(t *testing.T) {
	t.Parallel()
	p := dap.NewProblem(dap.ProblemUnsupportedExtension, "two of them").ForTask(goldenTask)
	p.UnsupportedExtensions = []dap.ExtensionType{23, 42}
	text := must(json.Marshal(p))
	const want = `{"type":"urn:ietf:params:ppm:dap:error:unsupportedExtension","title":"an extension is not known here",` +
		`"status":400,"detail":"two of them","taskid":"8BY0RzZMzxvA46_8ymhzycOB9krN-QIGYvg_RsByGec","unsupported_extensions":[23,42]}`
	if string(text) != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	got, err := dap.ParseProblem(text)
	if err != nil || !cmp.Equal(got, p) {
		t.Errorf("parsed (-got +want): %v\n%s", err, cmp.Diff(got, p))
	}
	var into dap.Problem
	if err := json.Unmarshal(text, &into); err != nil || !cmp.Equal(&into, p) {
		t.Errorf("unmarshalled (-got +want): %v\n%s", err, cmp.Diff(&into, p))
	}
	if err := json.Unmarshal([]byte(`[]`), &into); err == nil || !cmp.Equal(&into, p) {
		t.Errorf("an array: %v, %v", into, err)
	}
	if plain := dap.NewProblem(dap.ProblemInvalidMessage, ""); plain.ForTask(goldenTask).TaskID == nil || plain.TaskID != nil {
		t.Error("ForTask changes the problem")
	}
	for _, status := range []int{-1, 200, 399, 600} {
		if _, err := json.Marshal(dap.Problem{Type: dap.ProblemInvalidMessage, Status: status}); err == nil {
			t.Errorf("status %d is written", status)
		}
	}
}

func TestParseProblem(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, text string
		want       *dap.Problem // nil for refused
	}{
		{"empty object", `{}`, &dap.Problem{Type: dap.ProblemBlank}},
		{"unknown members", `{"type":"https://x.example/p","more":{"a":[1]}}`, &dap.Problem{Type: "https://x.example/p"}},
		{"wrong types", `{"type":5,"title":[],"status":"400","detail":null,"taskid":1,"unsupported_extensions":[70000],"instance":"/1"}`, &dap.Problem{Type: dap.ProblemBlank, Instance: "/1"}},
		{"wrong task", `{"taskid":"8BY0"}`, &dap.Problem{Type: dap.ProblemBlank}},
		{"other case", `{"Type":"x","TYPE":"y"}`, &dap.Problem{Type: dap.ProblemBlank}},
		{"null", `null`, nil},
		{"array", `[]`, nil},
		{"text", `bad gateway`, nil},
		{"nothing", ``, nil},
		{"two objects", `{}{}`, nil},
		{"too large", `{"detail":"` + strings.Repeat("a", dap.MaxProblemSize-12) + `"}`, nil},
	} {
		got, err := dap.ParseProblem([]byte(test.text))
		if (err == nil) != (test.want != nil) || !cmp.Equal(got, test.want) {
			t.Errorf("%s: %v, %v", test.name, got, err)
		}
	}
	limit := `{"detail":"` + strings.Repeat("a", dap.MaxProblemSize-13) + `"}`
	if _, err := dap.ParseProblem([]byte(limit)); err != nil || len(limit) != dap.MaxProblemSize {
		t.Errorf("%d bytes: %v", len(limit), err)
	}
}

func TestProblemError(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("collect: %w", dap.NewProblem(dap.ProblemBatchOverlap, "collected"))
	if !errors.Is(err, &dap.Problem{Type: dap.ProblemBatchOverlap}) || errors.Is(err, &dap.Problem{Type: dap.ProblemBatchInvalid}) {
		t.Error("errors.Is does not compare types")
	}
	hostile := &dap.Problem{Type: dap.ProblemType(dap.ProblemNamespace + "x\n\x1b[31m"), Detail: strings.Repeat("a\n", 500)}
	if text := hostile.Error(); strings.ContainsAny(text, "\n\x1b") || len(text) > 700 {
		t.Errorf("a peer's text is printed: %q", text)
	}
}

// FuzzProblem: what is read is written and read again the same.
func FuzzProblem(f *testing.F) {
	for typ := range problemTypes() {
		f.Add(must(json.Marshal(dap.NewProblem(typ, "why").ForTask(goldenTask))))
	}
	f.Add([]byte(`{"unsupported_extensions":[23,42],"status":500}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := dap.ParseProblem(data)
		if err != nil {
			return
		}
		_ = p.Error()
		text, err := json.Marshal(p)
		if err != nil {
			return // a status that is no error
		}
		again, err := dap.ParseProblem(text)
		if err != nil && len(text) <= dap.MaxProblemSize {
			t.Fatalf("%s: %v", text, err)
		}
		if err == nil && string(must(json.Marshal(again))) != string(text) {
			t.Fatalf("%s is read as %+v", text, again)
		}
	})
}

func TestMediaTypes(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"HpkeConfigList": "hpke-config-list", "UploadRequest": "upload-req", "UploadErrors": "upload-errors",
		"AggregationJobInitReq": "aggregation-job-init-req", "AggregationJobResp": "aggregation-job-resp",
		"AggregationJobContinueReq": "aggregation-job-continue-req", "AggregateShareReq": "aggregate-share-req",
		"AggregateShare": "aggregate-share", "CollectionJobReq": "collection-job-req", "CollectionJobResp": "collection-job-resp",
	}
	for _, k := range kinds() {
		name, body := want[k.name]
		delete(want, k.name)
		for _, m := range []dap.Message{k.golden[k.name+".hex"], k.decoder().(dap.Message)} {
			got, ok := dap.MediaTypeOf(m)
			if ok != body || body && string(got) != "application/ppm-dap;message="+name {
				t.Errorf("%T: %q, %v", m, got, ok)
			}
			if !body {
				continue
			}
			if got.MessageName() != name {
				t.Errorf("%T: name %q", m, got.MessageName())
			}
			if parsed, err := dap.ParseMediaType(string(got)); err != nil || parsed != got {
				t.Errorf("%s: parsed %s, %v", got, parsed, err)
			}
		}
	}
	for name := range want {
		t.Errorf("no message %s", name)
	}
	if dap.MediaProblem.MessageName() != "" {
		t.Error("a problem has a message name")
	}
}

func TestParseMediaType(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		header string
		want   dap.MediaType // empty for refused
	}{
		{"application/ppm-dap;message=upload-req", dap.MediaUploadRequest},
		{`Application/PPM-DAP ; Message="upload-req"`, dap.MediaUploadRequest},
		{"application/ppm-dap;message=upload-req;version=18", dap.MediaUploadRequest},
		{"application/problem+json", dap.MediaProblem},
		{"application/problem+json; charset=utf-8", dap.MediaProblem},
		{"application/ppm-dap;message=UPLOAD-REQ", ""},
		{"application/ppm-dap;message=upload-req;charset=utf-8", ""},
		{"application/ppm-dap;message=upload-req;message=upload-errors", ""},
		{"application/ppm-dap;message=upload", ""},
		{"application/ppm-dap;message=", ""},
		{"application/ppm-dap", ""},
		{"application/octet-stream;message=upload-req", ""},
		{"application/ppm-dap+x;message=upload-req", ""},
		{"application/ppm-dap;message=upload-req;version=" + strings.Repeat("1", 256), ""},
		{"", ""},
		{";;", ""},
	} {
		got, err := dap.ParseMediaType(test.header)
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%.60q: %q, %v", test.header, got, err)
		}
	}
}
