package dap

import (
	"bytes"
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The limits of this implementation. DAP has none; without them one request
// could take all memory. They hold for decoding and for encoding: what
// [Encode] produces, [Decode] accepts.
const (
	MaxUploadReports = 100      // reports in an [UploadRequest], statuses in [UploadErrors]
	MaxUploadSize    = 1 << 20  // bytes of an [UploadRequest]
	MaxJobReports    = 256      // reports in a message of an aggregation job
	MaxJobSize       = 16 << 20 // bytes of a message of an aggregation job
	MaxExtensions    = 16       // extensions in one list
	MaxMessageSize   = 1 << 20  // bytes of any other message
	MaxEnvelopeSize  = 2 << 20  // bytes of a message that holds another: the AADs and [AggregateShareReq]
)

// What is wrong with a message. A [FormatError] wraps one of them.
var (
	// ErrMalformed means that the bytes, or the fields to be encoded, are no
	// message of that type (problem type invalidMessage).
	ErrMalformed = errors.New("malformed message")
	// ErrLimit means that the message is larger than this implementation
	// accepts.
	ErrLimit = errors.New("message over the limit")
	// ErrExtension means that a list of extensions is not in strictly
	// increasing order of types, holds the reserved type 0, or that a known
	// extension has the wrong content. It is invalidExtension in a collection
	// job and invalidMessage elsewhere (sections 4.6.2 and 4.5.1).
	ErrExtension = errors.New("invalid extensions")
)

// A FormatError says where a message is wrong. It holds no bytes of the
// message, which may be secret.
type FormatError struct {
	Message string // the type, such as "UploadRequest"
	Field   string // the path to the field in the draft's names, such as "reports[3].public_share"; empty for the whole
	Offset  int    // the byte at which decoding stopped, or -1 when encoding
	Reason  string
	Kind    error // ErrMalformed, ErrLimit or ErrExtension
}

// Error returns the place and the reason in one line.
func (e *FormatError) Error() string {
	var s strings.Builder
	s.WriteString("dap: ")
	if e.Offset < 0 {
		s.WriteString("encode ")
	} else {
		s.WriteString("decode ")
	}
	s.WriteString(e.Message)
	if e.Field != "" {
		s.WriteString(": " + e.Field)
	}
	if e.Offset >= 0 {
		fmt.Fprintf(&s, ": at byte %d", e.Offset)
	}
	return s.String() + ": " + e.Reason
}

// Unwrap returns the kind of the error.
func (e *FormatError) Unwrap() error { return e.Kind }

// A Message is one of the structures of this package that have an encoding,
// or a pointer to one.
type Message interface {
	encoding.BinaryAppender
	encoding.BinaryMarshaler
	write(w *writer)
}

// A Decodable is a pointer to a message of type T: what [Decode] needs to know of
// T. Generic callers of Decode name it in their own constraints.
type Decodable[T any] interface {
	*T
	Message
	encoding.BinaryUnmarshaler
	read(r *reader)
}

// Encode returns the encoding of m under variant v. It refuses, with a
// [FormatError], everything that [Decode] would refuse.
func Encode(v Variant, m Message) ([]byte, error) {
	return Append(v, nil, m)
}

// Append appends the encoding of m under variant v to dst. On error it returns
// dst as it was.
func Append(v Variant, dst []byte, m Message) ([]byte, error) {
	w := writer{b: dst, cursor: cursor{variant: v}}
	if !v.valid() {
		w.fail(ErrMalformed, "", "unknown variant %d", uint8(v))
	} else {
		m.write(&w)
		if limit := sizeLimit(m); w.err == nil && len(w.b)-len(dst) > limit {
			w.fail(ErrLimit, "", "%d bytes; allowed: at most %d", len(w.b)-len(dst), limit)
		}
	}
	if w.err != nil {
		w.err.Message, w.err.Offset = messageName(m), -1
		return dst, w.err
	}
	return w.b, nil
}

// Decode decodes data, all of it, as a T under variant v:
//
//	req, err := dap.Decode[dap.UploadRequest](dap.Variant18, body)
//
// Decoding is strict. There is exactly one encoding of each message, so what
// is accepted encodes again to the same bytes.
//
// The result does not alias data: data is copied once, and all byte fields of
// the result are parts of that one copy (with no spare capacity, so appending
// to one never writes into another). Keeping a small field of a large message
// therefore keeps all of it in memory; clone what is to be kept.
func Decode[T any, P Decodable[T]](v Variant, data []byte) (T, error) {
	if err := checkSize[T, P](data); err != nil {
		var zero T
		return zero, err
	}
	return decodeOwned[T, P](v, bytes.Clone(data))
}

// DecodeAliasing is [Decode] without the copy: the byte fields of the result are
// parts of data, which the caller leaves as it is for as long as it uses the
// result.
func DecodeAliasing[T any, P Decodable[T]](v Variant, data []byte) (T, error) {
	if err := checkSize[T, P](data); err != nil {
		var zero T
		return zero, err
	}
	return decodeOwned[T, P](v, data)
}

func checkSize[T any, P Decodable[T]](data []byte) error {
	var zero T
	limit := sizeLimit(P(&zero))
	if len(data) <= limit {
		return nil
	}
	return &FormatError{
		Message: messageName(P(&zero)), Offset: limit, Kind: ErrLimit,
		Reason: fmt.Sprintf("%d bytes; allowed: at most %d", len(data), limit),
	}
}

// decodeOwned is Decode for data that the result may keep.
func decodeOwned[T any, P Decodable[T]](v Variant, data []byte) (T, error) {
	var m, zero T
	r := reader{data: data, end: len(data), cursor: cursor{variant: v}}
	switch limit := sizeLimit(P(&m)); {
	case !v.valid():
		r.fail(ErrMalformed, "", "unknown variant %d", uint8(v))
	case len(data) > limit:
		r.fail(ErrLimit, "", "%d bytes; allowed: at most %d", len(data), limit)
	default:
		P(&m).read(&r)
		if r.err == nil && r.off != len(data) {
			r.fail(ErrMalformed, "", "%d bytes after the end", len(data)-r.off)
		}
	}
	if r.err != nil {
		r.err.Message, r.err.Offset = messageName(P(&m)), r.off
		return zero, r.err
	}
	return m, nil
}

// unmarshal is UnmarshalBinary of every message: dst is changed only on
// success.
func unmarshal[T any, P Decodable[T]](data []byte, dst P) error {
	m, err := Decode[T, P](Variant18, data)
	if err != nil {
		return err
	}
	*dst = m
	return nil
}

// messageName returns the name of m's type without package and pointer.
func messageName(m Message) string {
	name := fmt.Sprintf("%T", m)
	return name[strings.LastIndexByte(name, '.')+1:]
}

// sizeLimit returns how many bytes the encoding of m may have.
func sizeLimit(m Message) int {
	switch m.(type) {
	case AggregationJobInitReq, *AggregationJobInitReq,
		AggregationJobResp, *AggregationJobResp,
		AggregationJobContinueReq, *AggregationJobContinueReq:
		return MaxJobSize
	case InputShareAad, *InputShareAad,
		AggregateShareAad, *AggregateShareAad,
		AggregateShareReq, *AggregateShareReq:
		return MaxEnvelopeSize
	case UploadRequest, *UploadRequest:
		return MaxUploadSize
	}
	return MaxMessageSize
}

// A cursor holds what reader and writer share: the variant, the first error
// and where in the message we are.
type cursor struct {
	variant Variant
	err     *FormatError
	path    [6]step
	depth   int
}

type step struct {
	field string
	index int // or -1
}

// enter goes into a field that is a structure. It is undone by leave.
func (c *cursor) enter(field string) { c.enterIndex(field, -1) }

// enterIndex goes into an element of a field that is a list.
func (c *cursor) enterIndex(field string, index int) {
	c.path[c.depth] = step{field, index}
	c.depth++
}

func (c *cursor) leave() { c.depth-- }

// fail records the first error, at field below the current place.
func (c *cursor) fail(kind error, field, format string, args ...any) {
	if c.err != nil {
		return
	}
	var path []string
	for _, s := range c.path[:c.depth] {
		if s.index >= 0 {
			path = append(path, fmt.Sprintf("%s[%d]", s.field, s.index))
		} else {
			path = append(path, s.field)
		}
	}
	if field != "" {
		path = append(path, field)
	}
	c.err = &FormatError{Field: strings.Join(path, "."), Reason: fmt.Sprintf(format, args...), Kind: kind}
}

// A reader takes a message apart. After the first error it reads zeros.
type reader struct {
	cursor
	data []byte
	off  int
	end  int // of the vector we are in
}

// bytes returns the next n bytes as a part of data, or nil if n is 0.
func (r *reader) bytes(field string, n int) []byte {
	if r.err != nil {
		return nil
	}
	if n > r.end-r.off {
		r.fail(ErrMalformed, field, "cut off: %d bytes wanted, %d left", n, r.end-r.off)
		return nil
	}
	if n == 0 {
		return nil
	}
	b := r.data[r.off : r.off+n : r.off+n]
	r.off += n
	return b
}

func (r *reader) u8(field string) uint8 {
	if b := r.bytes(field, 1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u16(field string) uint16 {
	if b := r.bytes(field, 2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) u32(field string) uint32 {
	if b := r.bytes(field, 4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) u64(field string) uint64 {
	if b := r.bytes(field, 8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// fixed fills dst.
func (r *reader) fixed(field string, dst []byte) { copy(dst, r.bytes(field, len(dst))) }

// A prefix is the size in bytes of a vector's length field.
type prefix int

const (
	prefix8  prefix = 1
	prefix16 prefix = 2
	prefix32 prefix = 4
)

// max returns the largest length that the prefix can say.
func (p prefix) max() uint64 { return 1<<(8*p) - 1 }

// length reads a length field.
func (r *reader) length(field string, p prefix) int {
	var n uint64
	for _, b := range r.bytes(field, int(p)) {
		n = n<<8 | uint64(b)
	}
	if r.err == nil && n > uint64(r.end-r.off) {
		r.fail(ErrMalformed, field, "cut off: %d bytes wanted, %d left", n, r.end-r.off)
		return 0
	}
	return int(n)
}

// opaque reads a vector of bytes of at least minimum.
func (r *reader) opaque(field string, p prefix, minimum int) []byte {
	n := r.length(field, p)
	if r.err == nil && n < minimum {
		r.fail(ErrMalformed, field, "%d bytes; allowed: at least %d", n, minimum)
	}
	return r.bytes(field, n)
}

// more says whether the vector we are in has more elements.
func (r *reader) more() bool { return r.err == nil && r.off < r.end }

// readList reads the elements of the vector that we are in, to its end.
func readList[T any, P interface {
	*T
	read(r *reader)
}](r *reader, field string, most int) []T {
	if !r.more() {
		return nil
	}
	start, list := r.off, make([]T, 0, 1)
	for r.more() {
		if len(list) == most {
			r.fail(ErrLimit, field, "too many; allowed: at most %d", most)
			return nil
		}
		r.enterIndex(field, len(list))
		// Read in place: a variable of its own would be an allocation each.
		list = append(list, *new(T))
		P(&list[len(list)-1]).read(r)
		r.leave()
		if len(list) == 1 && r.more() {
			// Elements are mostly of one size: one allocation for the rest.
			list = slices.Grow(list, min(most-1, (r.end-r.off)/(r.off-start)))
		}
	}
	return list
}

// A writer puts a message together.
type writer struct {
	cursor
	b []byte
}

func (w *writer) u8(n uint8)     { w.b = append(w.b, n) }
func (w *writer) u16(n uint16)   { w.b = binary.BigEndian.AppendUint16(w.b, n) }
func (w *writer) u32(n uint32)   { w.b = binary.BigEndian.AppendUint32(w.b, n) }
func (w *writer) u64(n uint64)   { w.b = binary.BigEndian.AppendUint64(w.b, n) }
func (w *writer) fixed(b []byte) { w.b = append(w.b, b...) }

// opaque writes a vector of bytes of at least minimum.
func (w *writer) opaque(field string, p prefix, minimum int, b []byte) {
	switch {
	case w.err != nil:
	case len(b) < minimum:
		w.fail(ErrMalformed, field, "%d bytes; allowed: at least %d", len(b), minimum)
	case len(b) > MaxJobSize:
		// No message is larger: do not copy what will be refused.
		w.fail(ErrLimit, field, "%d bytes; allowed: at most %d", len(b), MaxJobSize)
	case uint64(len(b)) > p.max():
		w.fail(ErrMalformed, field, "%d bytes; allowed: at most %d", len(b), p.max())
	default:
		w.b = slices.Grow(w.b, int(p)+len(b))
		w.length(p, len(b))
		w.b = append(w.b, b...)
	}
}

func (w *writer) length(p prefix, n int) {
	for shift := 8 * (int(p) - 1); shift >= 0; shift -= 8 {
		w.b = append(w.b, byte(n>>shift))
	}
}

// vector writes a vector whose content is written by body.
func (w *writer) vector(field string, p prefix, body func()) {
	start := len(w.b)
	w.length(p, 0)
	body()
	n := len(w.b) - start - int(p)
	if uint64(n) > p.max() {
		w.fail(ErrMalformed, field, "%d bytes; allowed: at most %d", n, p.max())
		return
	}
	for i := range int(p) {
		w.b[start+i] = byte(n >> (8 * (int(p) - 1 - i)))
	}
}

// writeList writes elements one after the other.
func writeList[T Message](w *writer, field string, most int, list []T) {
	if len(list) > most {
		w.fail(ErrLimit, field, "%d; allowed: at most %d", len(list), most)
		return
	}
	for i, element := range list {
		if w.err != nil {
			return
		}
		w.enterIndex(field, i)
		element.write(w)
		w.leave()
	}
}
