{{- define "poolgate.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "poolgate.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- $name := include "poolgate.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "poolgate.selectorLabels" -}}
app.kubernetes.io/name: {{ include "poolgate.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "poolgate.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "poolgate.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "poolgate.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "poolgate.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "poolgate.configMapName" -}}
{{- default (include "poolgate.fullname" .) .Values.existingConfigMap }}
{{- end }}

{{/* The gateway's configuration: what the chart knows, then what the user wrote. */}}
{{- define "poolgate.config" -}}
{{- $known := dict
      "version" 1
      "listen" (printf "0.0.0.0:%d" (int .Values.ports.http))
      "admin" (printf "0.0.0.0:%d" (int .Values.ports.admin)) -}}
{{- with .Values.ports.extAuthz }}
{{- $_ := set $known "extAuthz" (printf "0.0.0.0:%d" (int .)) }}
{{- end }}
{{- toYaml (mustMergeOverwrite $known (deepCopy .Values.config)) }}
{{- end }}

{{/* A pod that is killed while it drains cuts off its clients. */}}
{{- define "poolgate.validate" -}}
{{- if and (empty .Values.config) (not .Values.existingConfigMap) }}
{{- fail "set `config` to the gateway's configuration, or `existingConfigMap` to a ConfigMap that holds it" }}
{{- end }}
{{- if eq (int .Values.ports.http) (int .Values.ports.admin) }}
{{- fail "ports.http and ports.admin must differ" }}
{{- end }}
{{- $drain := dig "timeouts" "drain" "30s" .Values.config | toString }}
{{- $unit := regexFind "[a-z]+$" $drain }}
{{- $seconds := divf (trimSuffix $unit $drain | float64) (get (dict "ms" 1000.0 "s" 1.0 "m" (divf 1.0 60.0) "h" (divf 1.0 3600.0)) $unit | default 1.0) }}
{{- if and (not .Values.existingConfigMap) (le (float64 .Values.terminationGracePeriodSeconds) (addf $seconds .Values.preStopSeconds)) }}
{{- fail (printf "terminationGracePeriodSeconds must be more than preStopSeconds (%d) and config.timeouts.drain (%s) together" (int .Values.preStopSeconds) $drain) }}
{{- end }}
{{- end }}
