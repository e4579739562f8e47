package dap

import (
	"fmt"
	"mime"
	"strings"
)

// A MediaType is the Content-Type of a message, such as
// "application/ppm-dap;message=upload-req" (section 9.1).
type MediaType string

// The media types of the messages that are sent as the body of a request or a
// response, and that of a [Problem].
const (
	MediaHpkeConfigList            MediaType = "application/ppm-dap;message=hpke-config-list"
	MediaUploadRequest             MediaType = "application/ppm-dap;message=upload-req"
	MediaUploadErrors              MediaType = "application/ppm-dap;message=upload-errors"
	MediaAggregationJobInitReq     MediaType = "application/ppm-dap;message=aggregation-job-init-req"
	MediaAggregationJobResp        MediaType = "application/ppm-dap;message=aggregation-job-resp"
	MediaAggregationJobContinueReq MediaType = "application/ppm-dap;message=aggregation-job-continue-req"
	MediaAggregateShareReq         MediaType = "application/ppm-dap;message=aggregate-share-req"
	MediaAggregateShare            MediaType = "application/ppm-dap;message=aggregate-share"
	MediaCollectionJobReq          MediaType = "application/ppm-dap;message=collection-job-req"
	MediaCollectionJobResp         MediaType = "application/ppm-dap;message=collection-job-resp"

	MediaProblem MediaType = "application/problem+json"
)

const (
	mediaBase     = "application/ppm-dap"
	mediaPrefix   = mediaBase + ";message="
	maxMediaBytes = 256
)

// MediaTypeOf returns the media type of a message, and false for a structure
// that is never a body by itself.
func MediaTypeOf(m Message) (MediaType, bool) {
	switch m.(type) {
	case HpkeConfigList, *HpkeConfigList:
		return MediaHpkeConfigList, true
	case UploadRequest, *UploadRequest:
		return MediaUploadRequest, true
	case UploadErrors, *UploadErrors:
		return MediaUploadErrors, true
	case AggregationJobInitReq, *AggregationJobInitReq:
		return MediaAggregationJobInitReq, true
	case AggregationJobResp, *AggregationJobResp:
		return MediaAggregationJobResp, true
	case AggregationJobContinueReq, *AggregationJobContinueReq:
		return MediaAggregationJobContinueReq, true
	case AggregateShareReq, *AggregateShareReq:
		return MediaAggregateShareReq, true
	case AggregateShare, *AggregateShare:
		return MediaAggregateShare, true
	case CollectionJobReq, *CollectionJobReq:
		return MediaCollectionJobReq, true
	case CollectionJobResp, *CollectionJobResp:
		return MediaCollectionJobResp, true
	}
	return "", false
}

// ParseMediaType returns the media type that a Content-Type header names. Case
// and space are as HTTP allows them, and a "version" parameter, by which others
// say which draft they speak, is ignored; any other parameter is refused, and
// so is a message that is not in the list above. The media type of a [Problem]
// is accepted with any parameters.
func ParseMediaType(header string) (MediaType, error) {
	if len(header) > maxMediaBytes {
		return "", fmt.Errorf("dap: media type of %d bytes; allowed: at most %d", len(header), maxMediaBytes)
	}
	base, params, err := mime.ParseMediaType(header)
	if err != nil {
		return "", fmt.Errorf("dap: media type %q: %w", header, err)
	}
	if base == string(MediaProblem) {
		return MediaProblem, nil
	}
	if base != mediaBase {
		return "", fmt.Errorf("dap: media type %q; allowed: %s", base, mediaBase)
	}
	for name := range params {
		if name != "message" && name != "version" {
			return "", fmt.Errorf("dap: media type %q: unknown parameter %q", header, name)
		}
	}
	switch t := MediaType(mediaPrefix + params["message"]); t {
	case MediaHpkeConfigList, MediaUploadRequest, MediaUploadErrors,
		MediaAggregationJobInitReq, MediaAggregationJobResp, MediaAggregationJobContinueReq,
		MediaAggregateShareReq, MediaAggregateShare, MediaCollectionJobReq, MediaCollectionJobResp:
		return t, nil
	}
	return "", fmt.Errorf("dap: media type %q: unknown message", header)
}

// MessageName returns the value of the message parameter, such as
// "upload-req", or "" if there is none.
func (t MediaType) MessageName() string {
	name, ok := strings.CutPrefix(string(t), mediaPrefix)
	if !ok {
		return ""
	}
	return name
}
