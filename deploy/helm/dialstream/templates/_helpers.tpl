{{- define "dialstream.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{/* Labels of everything; `service` is the part that the object belongs to. */}}
{{- define "dialstream.labels" -}}
{{ include "dialstream.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "dialstream.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .service }}
{{- end }}

{{- define "dialstream.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "dialstream.secretVariable" -}}
- name: {{ .variable }}
  valueFrom:
    secretKeyRef: {name: {{ .reference.name | quote }}, key: {{ .reference.key | quote }}}
{{- end }}

{{/* Where the servers are. */}}
{{- define "dialstream.servers" -}}
- {name: DIALSTREAM_KAFKA, value: {{ .Values.kafka.bootstrapServers | quote }}}
- {name: DIALSTREAM_TOPIC_PREFIX, value: {{ .Values.kafka.topicPrefix | quote }}}
{{- if .Values.mongodb.uriSecret.name }}
{{ include "dialstream.secretVariable" (dict "variable" "DIALSTREAM_MONGODB" "reference" .Values.mongodb.uriSecret) }}
{{- else }}
- {name: DIALSTREAM_MONGODB, value: {{ .Values.mongodb.uri | quote }}}
{{- end }}
- {name: DIALSTREAM_MONGODB_DATABASE, value: {{ .Values.mongodb.database | quote }}}
{{- end }}

{{/* The carrier's account; for the services that speak with the carrier or are spoken to by it. */}}
{{- define "dialstream.carrier" -}}
- {name: DIALSTREAM_TWILIO_BASE_URL, value: {{ .Values.twilio.baseUrl | quote }}}
- {name: DIALSTREAM_TWILIO_ACCOUNT_SID, value: {{ .Values.twilio.accountSid | quote }}}
- {name: DIALSTREAM_TWILIO_ANSWER_URL, value: {{ .Values.answerUrl | quote }}}
- {name: DIALSTREAM_CALLBACK_BASE_URL, value: {{ .Values.callbackBaseUrl | quote }}}
{{ include "dialstream.secretVariable" (dict "variable" "DIALSTREAM_TWILIO_AUTH_TOKEN" "reference" .Values.twilio.authTokenSecret) }}
{{- end }}

{{- define "dialstream.settings" -}}
{{- range $name, $value := . }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}

{{- define "dialstream.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "dialstream.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* What pods have in common with the job, as far as it goes. */}}
{{- define "dialstream.placement" -}}
automountServiceAccountToken: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
securityContext:
  {{- include "dialstream.podSecurity" . | nindent 2 }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
