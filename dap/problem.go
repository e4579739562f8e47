package dap

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// A ProblemType is the type of a [Problem]: a URN of DAP or any other URI.
type ProblemType string

// ProblemNamespace begins the type of every problem that DAP defines.
const ProblemNamespace = "urn:ietf:params:ppm:dap:error:"

// The problem types of DAP (section 3.6).
const (
	ProblemInvalidMessage              ProblemType = ProblemNamespace + "invalidMessage"
	ProblemUnrecognizedTask            ProblemType = ProblemNamespace + "unrecognizedTask"
	ProblemUnrecognizedAggregationJob  ProblemType = ProblemNamespace + "unrecognizedAggregationJob"
	ProblemBatchInvalid                ProblemType = ProblemNamespace + "batchInvalid"
	ProblemInvalidBatchSize            ProblemType = ProblemNamespace + "invalidBatchSize"
	ProblemInvalidAggregationParameter ProblemType = ProblemNamespace + "invalidAggregationParameter"
	ProblemBatchMismatch               ProblemType = ProblemNamespace + "batchMismatch"
	ProblemStepMismatch                ProblemType = ProblemNamespace + "stepMismatch"
	ProblemBatchOverlap                ProblemType = ProblemNamespace + "batchOverlap"
	ProblemUnsupportedExtension        ProblemType = ProblemNamespace + "unsupportedExtension"
	ProblemInvalidExtension            ProblemType = ProblemNamespace + "invalidExtension"

	// ProblemBlank is the type of a problem that says no more than its status
	// (RFC 9457, section 4.2.1).
	ProblemBlank ProblemType = "about:blank"
)

// Title returns a short text for people that is the same in every occurrence,
// or "" for a type that is not DAP's.
func (t ProblemType) Title() string {
	switch t {
	case ProblemInvalidMessage:
		return "the message cannot be read or is not valid here"
	case ProblemUnrecognizedTask:
		return "the task is not known here"
	case ProblemUnrecognizedAggregationJob:
		return "the aggregation job is not known here"
	case ProblemBatchInvalid:
		return "the query does not name a batch"
	case ProblemInvalidBatchSize:
		return "the batch does not have enough reports"
	case ProblemInvalidAggregationParameter:
		return "the aggregation parameter is not valid"
	case ProblemBatchMismatch:
		return "the aggregators have different reports in the batch"
	case ProblemStepMismatch:
		return "the aggregators are at different steps of the job"
	case ProblemBatchOverlap:
		return "the query has reports that were collected before"
	case ProblemUnsupportedExtension:
		return "an extension is not known here"
	case ProblemInvalidExtension:
		return "the extensions are out of order or not valid"
	}
	return ""
}

// A Problem is the body of a refused request (RFC 9457). It is an error, so
// that a client can return the one it got.
type Problem struct {
	Type                  ProblemType     // empty is about:blank
	Title                 string          // the same for all problems of a type
	Status                int             // of the response; 0 if absent
	Detail                string          // what happened this time
	Instance              string          // names this occurrence
	TaskID                *TaskID         // the task, where it is known
	UnsupportedExtensions []ExtensionType // with ProblemUnsupportedExtension
}

// MaxProblemSize is how many bytes of a problem are read.
const MaxProblemSize = 64 << 10

// NewProblem returns the problem of that type with its title and status 400,
// the most general code for all of DAP's.
func NewProblem(t ProblemType, detail string) *Problem {
	return &Problem{Type: t, Title: t.Title(), Status: 400, Detail: detail}
}

// ForTask returns a copy of p that names the task.
func (p *Problem) ForTask(id TaskID) *Problem {
	c := *p
	c.TaskID = &id
	return &c
}

// Error returns type and detail in one line. What came from a peer is quoted
// and cut.
func (p *Problem) Error() string {
	var s strings.Builder
	s.WriteString("dap: problem ")
	if token, ok := strings.CutPrefix(string(p.Type), ProblemNamespace); ok && p.Type.Title() != "" {
		s.WriteString(token)
	} else {
		fmt.Fprintf(&s, "%.80q", string(p.Type))
	}
	if p.Status != 0 {
		fmt.Fprintf(&s, " (status %d)", p.Status)
	}
	if p.Detail != "" {
		fmt.Fprintf(&s, ": %.200q", p.Detail)
	}
	return s.String()
}

// Is says whether target is a [Problem] of the same type, so that
// errors.Is(err, &dap.Problem{Type: dap.ProblemBatchOverlap}) works.
func (p *Problem) Is(target error) bool {
	other, ok := target.(*Problem)
	return ok && other.Type == p.Type
}

// problemJSON has the members in the order in which they are written.
type problemJSON struct {
	Type                  ProblemType     `json:"type,omitempty"`
	Title                 string          `json:"title,omitempty"`
	Status                int             `json:"status,omitempty"`
	Detail                string          `json:"detail,omitempty"`
	Instance              string          `json:"instance,omitempty"`
	TaskID                *TaskID         `json:"taskid,omitempty"`
	UnsupportedExtensions []ExtensionType `json:"unsupported_extensions,omitempty"`
}

// MarshalJSON returns the problem as an application/problem+json object
// without its empty members.
func (p Problem) MarshalJSON() ([]byte, error) {
	if p.Status != 0 && (p.Status < 400 || p.Status > 599) {
		return nil, fmt.Errorf("dap: problem with status %d; allowed: 400 to 599", p.Status)
	}
	return json.Marshal(problemJSON(p))
}

// UnmarshalJSON reads what [ParseProblem] reads.
func (p *Problem) UnmarshalJSON(data []byte) error {
	parsed, err := ParseProblem(data)
	if err == nil {
		*p = *parsed
	}
	return err
}

// ParseProblem reads a problem, of at most [MaxProblemSize] bytes. As RFC 9457
// wants, it ignores members that are unknown or of the wrong type (section
// 3.1); the type of a problem that has none is about:blank. The object comes
// from a peer: its texts are to be shown as such.
func ParseProblem(data []byte) (*Problem, error) {
	if len(data) > MaxProblemSize {
		return nil, fmt.Errorf("dap: problem of %d bytes; allowed: at most %d", len(data), MaxProblemSize)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil || members == nil {
		return nil, errors.New("dap: problem is not a JSON object")
	}
	p := &Problem{
		Type:                  member[ProblemType](members, "type"),
		Title:                 member[string](members, "title"),
		Status:                member[int](members, "status"),
		Detail:                member[string](members, "detail"),
		Instance:              member[string](members, "instance"),
		TaskID:                member[*TaskID](members, "taskid"),
		UnsupportedExtensions: member[[]ExtensionType](members, "unsupported_extensions"),
	}
	if p.Type == "" {
		p.Type = ProblemBlank
	}
	return p, nil
}

// member returns a member of the object, or zero if it is absent or of the
// wrong type.
func member[T any](members map[string]json.RawMessage, name string) T {
	var value, zero T
	if raw, ok := members[name]; !ok || json.Unmarshal(raw, &value) != nil {
		return zero
	}
	return value
}
