/* SPDX-License-Identifier: Apache-2.0 */
/* The user's photo, from an API of the provider. */
#ifndef NA_OAUTH_PHOTO_H
#define NA_OAUTH_PHOTO_H

#include "oauth/oauth.h"

/* Most bytes of a photo. */
#define NA_PHOTO_MAX 32768

/* Most characters of a photo as a data URL. */
#define NA_PHOTO_URL_MAX (NA_PHOTO_MAX / 3 * 4 + 64)

/*
 * Writes the user's photo as a data URL, in the form that Auth.js gives it; NULL if there is none.
 * Fails if it is too large or not a JPEG or PNG file. Requires photo=.
 */
na_error *na_oauth_photo(const na_oauth *oauth, const na_tokens *tokens, const char **photo);

#endif
