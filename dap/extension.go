package dap

import (
	"slices"
)

// An Extension is an entry in a list of report, task, aggregation-job or
// collection-job extensions: the four kinds are encoded alike, but each has
// its own numbers. Lists are in strictly increasing order of Type and have at
// most [MaxExtensions] entries.
type Extension struct {
	Type ExtensionType
	Data []byte // 0 to 65,535 bytes
}

// An ExtensionType is a number in the registry of that kind of extension. 0 is
// reserved in each and refused.
type ExtensionType uint16

// The extensions that dap-18 defines. There are none for reports and for
// collection jobs.
const (
	// TaskExtensionInterval is a task extension that holds an [Interval]
	// outside of which reports are refused (section 4.2.3).
	TaskExtensionInterval ExtensionType = 1
	// JobExtensionBatchID is an aggregation-job extension that holds the
	// [BatchID] in leader-selected mode (section 5.2.2).
	JobExtensionBatchID ExtensionType = 1
)

// NewTaskInterval returns the task_interval extension.
func NewTaskInterval(i Interval) (Extension, error) {
	data, err := i.MarshalBinary()
	return Extension{Type: TaskExtensionInterval, Data: data}, err
}

// NewJobBatchID returns the leader_selected_batch_id extension.
func NewJobBatchID(id BatchID) Extension {
	return Extension{Type: JobExtensionBatchID, Data: id[:]}
}

// UnknownExtensions returns the types in list that are not known, in order:
// what a problem of type [ProblemUnsupportedExtension] lists. All extensions
// are mandatory, so whoever does not know one refuses the message.
func UnknownExtensions(list []Extension, known ...ExtensionType) []ExtensionType {
	var unknown []ExtensionType
	for _, e := range list {
		if !slices.Contains(known, e.Type) {
			unknown = append(unknown, e.Type)
		}
	}
	return unknown
}

// SharedExtension returns a type that is in both the public and the private
// extensions of a report, and whether there is one. Such a report is invalid
// (section 4.5.3.4).
func SharedExtension(public, private []Extension) (ExtensionType, bool) {
	for _, e := range public {
		if slices.ContainsFunc(private, func(p Extension) bool { return p.Type == e.Type }) {
			return e.Type, true
		}
	}
	return 0, false
}

func find(list []Extension, t ExtensionType) ([]byte, bool) {
	for _, e := range list {
		if e.Type == t {
			return e.Data, true
		}
	}
	return nil, false
}

func (e Extension) write(w *writer) {
	if e.Type == 0 {
		w.fail(ErrExtension, "extension_type", "0 is reserved")
	}
	w.u16(uint16(e.Type))
	w.opaque("extension_data", prefix16, 0, e.Data)
}

func (e *Extension) read(r *reader) {
	e.Type = ExtensionType(r.u16("extension_type"))
	if e.Type == 0 {
		r.fail(ErrExtension, "extension_type", "0 is reserved")
	}
	e.Data = r.opaque("extension_data", prefix16, 0)
}

// checkExtensions requires the order of types and, of the type that is known,
// the content.
func (c *cursor) checkExtensions(field string, list []Extension, known ExtensionType, check func([]byte) error) {
	for i, e := range list {
		if i > 0 && e.Type <= list[i-1].Type {
			c.fail(ErrExtension, field, "type %d after type %d; allowed: strictly increasing", e.Type, list[i-1].Type)
		}
		if check != nil && e.Type == known {
			if err := check(e.Data); err != nil {
				c.fail(ErrExtension, field, "type %d: content of %d bytes is not valid", e.Type, len(e.Data))
			}
		}
	}
}

func (w *writer) extensions(field string, list []Extension, known ExtensionType, check func([]byte) error) {
	w.checkExtensions(field, list, known, check)
	w.vector(field, prefix16, func() { writeList(w, field, MaxExtensions, list) })
}

func (r *reader) extensions(field string, known ExtensionType, check func([]byte) error) []Extension {
	n := r.length(field, prefix16)
	if r.err != nil || n == 0 {
		return nil
	}
	outer := r.end
	r.end = r.off + n
	list := readList[Extension](r, field, MaxExtensions)
	r.end = outer
	if r.err == nil {
		r.checkExtensions(field, list, known, check)
	}
	return list
}

func decodeInterval(data []byte) (Interval, error) { return Decode[Interval](Variant18, data) }

func checkInterval(data []byte) error {
	_, err := decodeInterval(data)
	return err
}

func checkBatchID(data []byte) error {
	if len(data) != len(BatchID{}) {
		return ErrMalformed
	}
	return nil
}
