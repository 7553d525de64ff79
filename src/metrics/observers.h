/* SPDX-License-Identifier: Apache-2.0 */
/* Observers that count HTTP calls, sessions, and emails. */
#ifndef NA_METRICS_OBSERVERS_H
#define NA_METRICS_OBSERVERS_H

#include "base/http.h"
#include "mail/queue.h"
#include "metrics/metrics.h"
#include "session/observer.h"

/* Each returns an observer that lives as long as the pool; NULL if `metrics` is NULL. */
const na_http_observer *na_metrics_of_calls(apr_pool_t *pool, na_metrics *metrics);
const na_session_observer *na_metrics_of_sessions(apr_pool_t *pool, na_metrics *metrics);
const na_mail_observer *na_metrics_of_mails(apr_pool_t *pool, na_metrics *metrics);

#endif
