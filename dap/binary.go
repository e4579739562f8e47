package dap

// The standard library's interfaces for binary encodings, of every message:
// [Append], [Encode] and [Decode] with [Variant18]. The variant matters for
// [UploadErrors], [ReportUploadStatus], [VerifyResp], [AggregationJobResp],
// [TaskConfiguration] and what contains one of them; all others have one
// encoding. UnmarshalBinary copies what it is given, and changes the receiver
// on success only.

// AppendBinary implements [encoding.BinaryAppender].
func (m Interval) AppendBinary(b []byte) ([]byte, error) { return Append(Variant18, b, m) }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m Interval) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *Interval) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }

// AppendBinary implements [encoding.BinaryAppender].
func (m Extension) AppendBinary(b []byte) ([]byte, error) { return Append(Variant18, b, m) }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m Extension) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *Extension) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }

// AppendBinary implements [encoding.BinaryAppender].
func (m HpkeConfig) AppendBinary(b []byte) ([]byte, error) { return Append(Variant18, b, m) }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m HpkeConfig) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *HpkeConfig) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }

// AppendBinary implements [encoding.BinaryAppender].
func (m HpkeConfigList) AppendBinary(b []byte) ([]byte, error) { return Append(Variant18, b, m) }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m HpkeConfigList) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *HpkeConfigList) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }

// AppendBinary implements [encoding.BinaryAppender].
func (m HpkeCiphertext) AppendBinary(b []byte) ([]byte, error) { return Append(Variant18, b, m) }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m HpkeCiphertext) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *HpkeCiphertext) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }

// AppendBinary implements [encoding.BinaryAppender].
func (m ReportMetadata) AppendBinary(b []byte) ([]byte, error) { return Append(Variant18, b, m) }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m ReportMetadata) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *ReportMetadata) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }

// AppendBinary implements [encoding.BinaryAppender].
func (m Report) AppendBinary(b []byte) ([]byte, error) { return Append(Variant18, b, m) }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m Report) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *Report) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }

// AppendBinary implements [encoding.BinaryAppender].
func (m UploadRequest) AppendBinary(b []byte) ([]byte, error) { return Append(Variant18, b, m) }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m UploadRequest) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *UploadRequest) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }

// AppendBinary implements [encoding.BinaryAppender].
func (m ReportUploadStatus) AppendBinary(b []byte) ([]byte, error) { return Append(Variant18, b, m) }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m ReportUploadStatus) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *ReportUploadStatus) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }

// AppendBinary implements [encoding.BinaryAppender].
func (m UploadErrors) AppendBinary(b []byte) ([]byte, error) { return Append(Variant18, b, m) }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m UploadErrors) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *UploadErrors) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }

// AppendBinary implements [encoding.BinaryAppender].
func (m PlaintextInputShare) AppendBinary(b []byte) ([]byte, error) { return Append(Variant18, b, m) }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m PlaintextInputShare) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *PlaintextInputShare) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }

// AppendBinary implements [encoding.BinaryAppender].
func (m TaskConfiguration) AppendBinary(b []byte) ([]byte, error) { return Append(Variant18, b, m) }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m TaskConfiguration) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *TaskConfiguration) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }

// AppendBinary implements [encoding.BinaryAppender].
func (m InputShareAad) AppendBinary(b []byte) ([]byte, error) { return Append(Variant18, b, m) }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m InputShareAad) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *InputShareAad) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }

// AppendBinary implements [encoding.BinaryAppender].
func (m AggregateShareAad) AppendBinary(b []byte) ([]byte, error) { return Append(Variant18, b, m) }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m AggregateShareAad) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *AggregateShareAad) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }

// AppendBinary implements [encoding.BinaryAppender].
func (m ReportShare) AppendBinary(b []byte) ([]byte, error) { return Append(Variant18, b, m) }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m ReportShare) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *ReportShare) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }

// AppendBinary implements [encoding.BinaryAppender].
func (m VerifyInit) AppendBinary(b []byte) ([]byte, error) { return Append(Variant18, b, m) }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m VerifyInit) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *VerifyInit) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }

// AppendBinary implements [encoding.BinaryAppender].
func (m AggregationJobInitReq) AppendBinary(b []byte) ([]byte, error) { return Append(Variant18, b, m) }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m AggregationJobInitReq) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *AggregationJobInitReq) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }

// AppendBinary implements [encoding.BinaryAppender].
func (m VerifyResp) AppendBinary(b []byte) ([]byte, error) { return Append(Variant18, b, m) }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m VerifyResp) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *VerifyResp) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }

// AppendBinary implements [encoding.BinaryAppender].
func (m AggregationJobResp) AppendBinary(b []byte) ([]byte, error) { return Append(Variant18, b, m) }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m AggregationJobResp) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *AggregationJobResp) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }

// AppendBinary implements [encoding.BinaryAppender].
func (m VerifyContinue) AppendBinary(b []byte) ([]byte, error) { return Append(Variant18, b, m) }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m VerifyContinue) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *VerifyContinue) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }

// AppendBinary implements [encoding.BinaryAppender].
func (m AggregationJobContinueReq) AppendBinary(b []byte) ([]byte, error) {
	return Append(Variant18, b, m)
}

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m AggregationJobContinueReq) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *AggregationJobContinueReq) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }

// AppendBinary implements [encoding.BinaryAppender].
func (m Query) AppendBinary(b []byte) ([]byte, error) { return Append(Variant18, b, m) }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m Query) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *Query) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }

// AppendBinary implements [encoding.BinaryAppender].
func (m BatchSelector) AppendBinary(b []byte) ([]byte, error) { return Append(Variant18, b, m) }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m BatchSelector) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *BatchSelector) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }

// AppendBinary implements [encoding.BinaryAppender].
func (m CollectionJobReq) AppendBinary(b []byte) ([]byte, error) { return Append(Variant18, b, m) }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m CollectionJobReq) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *CollectionJobReq) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }

// AppendBinary implements [encoding.BinaryAppender].
func (m CollectionJobResp) AppendBinary(b []byte) ([]byte, error) { return Append(Variant18, b, m) }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m CollectionJobResp) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *CollectionJobResp) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }

// AppendBinary implements [encoding.BinaryAppender].
func (m AggregateShareReq) AppendBinary(b []byte) ([]byte, error) { return Append(Variant18, b, m) }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m AggregateShareReq) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *AggregateShareReq) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }

// AppendBinary implements [encoding.BinaryAppender].
func (m AggregateShare) AppendBinary(b []byte) ([]byte, error) { return Append(Variant18, b, m) }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m AggregateShare) MarshalBinary() ([]byte, error) { return Encode(Variant18, m) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (m *AggregateShare) UnmarshalBinary(b []byte) error { return unmarshal(b, m) }
