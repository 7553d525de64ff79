/* SPDX-License-Identifier: Apache-2.0 */
/* Declares the actions that dispatch.c has routes to. */
#ifndef NA_ENDPOINT_ENDPOINTS_H
#define NA_ENDPOINT_ENDPOINTS_H

#include "auth/action.h"

na_action na_get_providers, na_get_session, na_post_session, na_get_csrf, na_get_signin,
    na_post_signin, na_get_signout, na_post_signout, na_get_sessions, na_post_sessions, na_callback,
    na_get_verify_request, na_get_error, na_post_log, na_get_sign_in_again, na_get_jwks;

/* sign-ins that another site begins */
na_action na_get_initiate, na_post_initiate;

/* sign-outs at a provider, and by one */
na_action na_get_signout_callback, na_post_backchannel_logout, na_get_frontchannel_logout;

/* actions of device authorization */
na_action na_post_device_authorization, na_get_device, na_post_device, na_post_token,
    na_post_revoke;

/* actions of users whose passwords are in the database */
na_action na_get_signup, na_post_signup, na_get_reset, na_post_reset, na_get_set_password,
    na_post_set_password, na_get_account, na_post_account, na_get_account_data, na_confirm_email;

/* a form, and a long URL, that were kept until the sign-in */
na_action na_get_resend_form, na_get_return;

/* the second factor */
na_action na_get_two_factor, na_post_two_factor, na_get_two_factor_setup, na_post_two_factor_setup;

/* personal access tokens */
na_action na_get_tokens, na_post_tokens;

/* sends the browser to request->provider, of OAuth 2.0 or OpenID Connect */
na_action na_start_at_provider;

/* the kinds of callbacks, and the action that sends a link */
na_action na_callback_oauth, na_callback_credentials, na_callback_email, na_signin_email;

/* passkeys */
na_action na_get_webauthn_options, na_callback_webauthn, na_get_passkey_script, na_get_passkeys,
    na_post_passkeys;

#endif
