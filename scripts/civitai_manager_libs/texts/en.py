"""The English texts."""

ENGLISH: dict[str, str] = {
    'error_unknown': 'Something went wrong.',
    'error_see_log': 'Something unexpected went wrong; the log has the details.',
    'error_with_detail': '{sentence} (Civitai says: {detail})',
    'reason_not_found': 'No such file or directory',
    'reason_no_folder': 'Not a directory',
    'reason_is_folder': 'Is a directory',
    'reason_exists': 'File exists',
    'reason_name_too_long': 'File name too long',
    'reason_bad_name': 'no file can have such a name',
    'reason_link_circle': 'Too many levels of symbolic links',
    'reason_denied': 'Permission denied',
    'reason_read_only': 'Read-only file system',
    'reason_full': 'No space left on device',
    'reason_too_many_open': 'Too many open files',
    'reason_in_use': 'Device or resource busy',
    'reason_broken_disk': 'Input/output error',
    'error_url_refused': (
        '{host} is not a host of Civitai, so nothing is fetched from it. If you trust it, '
        'add it to the setting extra_hosts.'
    ),
    'error_url_malformed': 'This is not a usable web address.',
    'error_url_not_https': '{host} was to be reached without encryption (http); that is refused.',
    'error_url_private': '{host} is an address inside a private network; that is refused.',
    'error_connection': 'No connection to {host}. Check your network or proxy and try again.',
    'error_proxy': (
        'The proxy does not answer. Check the setting http_proxy or the HTTPS_PROXY variable.'
    ),
    'error_proxy_login': (
        'The proxy does not answer without a login (407). Put http://name:password@host:port into '
        'the setting http_proxy or the HTTPS_PROXY variable.'
    ),
    'error_proxy_refused': (
        'The proxy refuses the way to {host} ({status}). Try again later, or ask whoever runs it.'
    ),
    'error_proxy_tls': (
        'The encryption that the proxy speaks is not to be trusted. If it speaks none, write '
        'http:// in place of https:// in its address; else name its certificate file in the '
        'setting http_ca_bundle.'
    ),
    'error_proxy_address': (
        'The address of the proxy cannot be used. Write it as http://host:port or '
        'socks5h://host:port in the setting http_proxy or the HTTPS_PROXY or ALL_PROXY variable.'
    ),
    'error_socks_refused': (
        'The SOCKS proxy opens no way to {host} ({reason}). Try again later, or ask whoever runs '
        'it.'
    ),
    'error_socks_login': (
        'The SOCKS proxy lets nobody in without the right login. Put '
        'socks5h://name:password@host:port into the setting http_proxy or the ALL_PROXY variable.'
    ),
    'error_socks': (
        'A SOCKS proxy needs the package PySocks, which is not here. Run "{path}" -m pip install '
        'PySocks and start again, or name an http proxy in the setting http_proxy.'
    ),
    'error_redirects': 'The answer led in circles. Try again later.',
    'error_timeout': (
        '{host} took too long to answer. Try again, or raise the time-out in the settings.'
    ),
    'error_unknown_host': (
        'No machine called {host} is to be found. Check your network, and the address if it is '
        'one that you set.'
    ),
    'error_name_service': (
        'The name service (DNS) did not say in time where {host} is. Check your network and the '
        'name server it uses, and try again.'
    ),
    'error_not_http': (
        'What came from {host} is no answer of a web server. A proxy or firewall may have put it '
        'there; try again later.'
    ),
    'error_garbled': (
        'The answer of {host} cannot be understood. A proxy or firewall may have changed it; try '
        'again later.'
    ),
    'error_unfitting': (
        'The answer does not fit what was asked for ({status}). A proxy may have changed it; try '
        'again later.'
    ),
    'error_too_slow': (
        '{host} sends so slowly that the transfer was given up. Try again, or raise the time-out '
        'in the settings.'
    ),
    'error_tls': (
        'The certificate of {host} is not trusted. Behind a company proxy, name its certificate '
        'file in the setting http_ca_bundle.'
    ),
    'error_tls_expired': (
        'The certificate of {host} has expired. Check the clock of this computer, or try again '
        'later.'
    ),
    'error_tls_other_host': (
        'The certificate that {host} shows belongs to another host. Check your network or proxy.'
    ),
    'error_ca_bundle': (
        '{path} holds no certificates that can be read. Check the setting http_ca_bundle or the '
        'variable REQUESTS_CA_BUNDLE.'
    ),
    'error_incomplete': 'The transfer broke off before the end. Try again.',
    'error_no_end': 'The file came without its end. Try again.',
    'error_empty': 'The answer was empty. Try again.',
    'error_bad_request': 'Civitai did not accept the request ({status}).',
    'error_key_needed': (
        'Civitai asks for a valid API key ({status}). Make one in your Civitai account '
        'settings and add it under "API key", or set the environment variable CIVITAI_TOKEN.'
    ),
    'error_forbidden': (
        'Civitai refuses access ({status}): early access, private, or your address is blocked.'
    ),
    'error_challenge': (
        '{host} asks for proof that you are no robot ({status}). Open its page in a browser, wait '
        'a while, or use another network; then try again.'
    ),
    'error_page_for_refusal': (
        '{host} answered with a web page ({status}) that says nothing of the file; a proxy or the '
        'login of a network may have sent it. Open the address in a browser, or use another '
        'network.'
    ),
    'error_not_found': (
        'Civitai does not know this (404): it was deleted, unpublished, or the link is wrong.'
    ),
    'error_gone': 'This was archived and can no longer be downloaded (410).',
    'error_rate_limited': 'Civitai asks us to slow down (429). Wait a few minutes and try again.',
    'error_region': 'Civitai is not available in your country or region (451).',
    'error_busy': 'Civitai is busy ({status}). Try again in a minute.',
    'error_wrong_content': 'What came is not what was asked for. Try again later.',
    'error_coded': (
        'What came is packed in a way that nobody asked for ({name}), so it cannot be read. A '
        'proxy may do that; try again later or without it.'
    ),
    'error_nothing_packed': (
        'What came is packed, and next to nothing is in it, so it was given up. Try again later.'
    ),
    'error_page_for_data': (
        'Civitai sent a web page instead of data. It may be down for maintenance; try again '
        'later.'
    ),
    'error_not_json': 'Civitai sent data that cannot be read. Try again later.',
    'error_unfolds': (
        'Civitai sent data of more than {limit} values, or nested more deeply than any page, so it '
        'cannot be read. Try again later.'
    ),
    'error_page_for_file': (
        'A web page came instead of the file. It may need an API key, or be gone.'
    ),
    'error_message_for_file': 'An error message came instead of the file. Try again later.',
    'error_not_a_picture': 'What came is neither a picture nor a video.',
    'error_not_audio': (
        'Civitai sent something else in place of the sound, so nothing was kept. Try again later.'
    ),
    'error_still_for_video': (
        'Civitai sent a still picture in place of the video, so nothing was kept. Try again later.'
    ),
    'error_not_a_gallery': 'Civitai sent something that is not a gallery. Try again later.',
    'error_ids_ignored': (
        'This Civitai does not list pictures by their ids; open them one at a time '
        '(civitai.com/images/...).'
    ),
    'error_not_a_model': 'Civitai sent something that is not a model. Try again later.',
    'error_not_models': 'Civitai sent something that is not a list of models. Try again later.',
    'model_archived': 'This model was archived; its files can no longer be downloaded.',
    'model_taken_down': 'This model was taken down by Civitai; its files cannot be downloaded.',
    'model_not_for_download': (
        'The creator of this version has switched downloads off; no API key changes that. Choose '
        'another version.'
    ),
    'model_paid': (
        'This version is only for those who paid for it on Civitai. If you did, set the API key of '
        'that account.'
    ),
    'model_early_access': (
        'This version is in early access until {end}. Wait until then, or buy it on Civitai and '
        'set the API key of that account.'
    ),
    'model_without_files': 'Civitai lists no file of this version. Choose another version.',
    'model_no_such_file': 'This version has no such file. There are: {known}',
    'model_suspect': (
        "{name} did not pass Civitai's scans (viruses: {virus}, pickle: {pickle}), so it was not "
        'fetched. Fetch it only if you trust its creator, and say so (`model --allow-suspect`).'
    ),
    'model_no_room': (
        '{needed} MiB are needed in {folder}, and {free} MiB are free. Make room, or choose '
        'another folder.'
    ),
    'model_page': (
        'A text or web page came instead of {name}, so nothing was kept. Check the API key, and '
        'open the page of the model in a browser.'
    ),
    'model_page_for_part': (
        'A web page or message came instead of a part of {name}. What came before is kept, and is '
        'gone on with the next time. Check the API key, and try again later.'
    ),
    'model_header': (
        '{name} is no whole safetensors file: its header is broken, so it was not kept. Tell the '
        'creator, or try again later.'
    ),
    'model_size_differs': (
        '{name} has {came} bytes where Civitai tells {told}, so it was not kept. Try again later.'
    ),
    'model_hash_differs': (
        '{name} is not what Civitai lists: its SHA256 is {came} and should be {told}. It was not '
        'kept; try again later.'
    ),
    'model_changed': (
        'The file changed on the storage again and again while it was fetched. Try again later.'
    ),
    'model_storage_refused': (
        'The storage of Civitai refuses the file ({status}), with a new address too. Try again '
        'later.'
    ),
    'model_busy': '{name} is being fetched by another program. Wait for it, or stop it there.',
    'model_renamed': (
        'Another file is called {wanted}, so this one is {name}. That is its name in prompts, too.'
    ),
    'model_unverified': (
        'Civitai lists no SHA256 of {name}, so whether it is right could not be checked.'
    ),
    'model_pickle': (
        '{name} is a pickle: opening it can run code. Prefer safetensors where there is a choice.'
    ),
    'download_failed': '{name} was not saved: {cause}',
    'download_progress': '{name}: {done} of {total} MiB',
    'download_nothing': 'Choose a file of the version first; nothing was downloaded.',
    'listing_stopped': 'Not everything could be listed: {cause}',
    'listing_circle': (
        'Civitai leads in a circle, so what follows cannot be had. Try again later.'
    ),
    'listing_cursor': (
        'Civitai says in a way that is not understood here what follows. Try again later, or look '
        'for a newer version of Civitai Gallery.'
    ),
    'listing_next_page': (
        'Civitai says that more follows, but not how to ask for it. Try again later.'
    ),
    'listing_empty': (
        'Civitai sent {count} answers without pictures in a row; more may follow. Try again later.'
    ),
    'listing_foreign': (
        'Civitai did not keep to what was asked for and sent other pictures, which were left out. '
        'Try again later.'
    ),
    'absent_image': (
        'Civitai knows no image {name}, or hides it: deleted, unpublished, or the link is wrong.'
    ),
    'absent_images': (
        '{count} of {total} pictures did not come: Civitai does not know them, or does not show '
        'them up to the maturity ceiling ({ceiling}).'
    ),
    'absent_post': (
        'Civitai knows no post {name}, or hides it: deleted, unpublished, or the link is wrong.'
    ),
    'absent_user': (
        'Civitai knows no user called {name}, or hides what is theirs: they left, or the link is '
        'wrong.'
    ),
    'gone_post': (
        'Civitai knows no post {name}: it was deleted, unpublished, or the link is wrong.'
    ),
    'gone_user': 'Civitai knows no user called {name}: they left, or the link is wrong.',
    'source_version_elsewhere': (
        'The version {version} belongs to model {owner}, not to {model}. Paste the link {link} for '
        'its pictures.'
    ),
    'error_no_such_user': 'Civitai knows no user called {username}.',
    'error_too_large': (
        'The answer is too large to be true (more than {limit} MB); nothing of it was kept.'
    ),
    'error_too_many_pixels': (
        'The picture says it has {width} x {height} pixels, too many for any program to open; '
        'it was not kept.'
    ),
    'error_no_json': 'What is to be sent is no JSON, so nothing was sent.',
    'error_storage': '{folder} cannot be written: {reason}. Choose another folder.',
    'error_disk_full': (
        'The disk is full; nothing was lost. Free some space for {folder} and try again.'
    ),
    'error_not_writable': (
        'No permission to write to {folder}. Choose another folder in the settings.'
    ),
    'error_cache_no_folder': (
        '{folder} cannot be a picture cache: {name} is a file or the like, or a link to nothing. '
        'Name a new or an empty folder.'
    ),
    'error_cache_not_own': (
        '{folder} holds files that are not of a picture cache, such as {name}. A picture cache is '
        'a folder of its own: name a new or an empty one.'
    ),
    'error_temporary': (
        'Pictures cannot be shown, because {folder} cannot be written: {reason}. Make room there, '
        'or name another folder in the environment variable GRADIO_TEMP_DIR.'
    ),
    'error_archive_damaged': (
        'The archive of kept pictures in {folder} was damaged or removed. What is left of it was '
        'put aside and a new one begun; try again.'
    ),
    'error_archive_newer': (
        'The archive of kept pictures was written by a newer version of this program. '
        'Update this one too.'
    ),
    'error_file_changes': '{name} was written to while it was read. Scan again when it is done.',
    'error_scan_elsewhere': 'The folders of models are being scanned already. Wait for its end.',
    'error_models_folder': (
        'The folder of models {folder} is not there. Is its disk connected? Else change the '
        'setting models_folder.'
    ),
    'place_host': '{folder}, where the WebUI keeps models of the kind {kind}',
    'place_setting': '{folder}, for the kind {kind} in the folder of models you chose',
    'place_downloads': (
        '{folder}, in the download folder; the setting models_folder can name another'
    ),
    'template_long': (
        'The pattern for names is too long: {most} characters and {folders} folders at the most.'
    ),
    'template_empty': (
        '"{template}" leaves a folder or the name empty: write something before and behind each /.'
    ),
    'template_elsewhere': (
        '"{template}" would lead out of the folder. Write names only, with / between folders; '
        'where all of it goes is said by the folder (--to, or the setting download_images_folder).'
    ),
    'base_model_unknown': (
        'Civitai knows no base model called "{given}". The nearest names are: {near}.'
    ),
    'template_braces': 'The braces in "{template}" do not match. A field is written {{id}}.',
    'template_field': '"{field}" is no field of a name. There are: {known}',
    'template_form': '"{form}" is no form for the field "{field}".',
    'nothing_but_hidden': (
        'No pictures found up to your maturity ceiling ({ceiling}), which hides {hidden}.'
    ),
    'nothing_fits': (
        'Nothing on the listing fits: {count} pictures were looked at and left out by the filters.'
    ),
    'nothing_fits_or_hidden': (
        'Nothing on the listing fits: {count} pictures were looked at and left out by the filters, '
        '{hidden} are hidden by your maturity ceiling ({ceiling}).'
    ),
    'places_unknown': (
        'Civitai did not tell the place of each picture in its post: some files are called unknown '
        'where it was to be.'
    ),
    'taken_in_turn': (
        'Civitai does not tell how the pictures of one version compare with those of another by '
        '{sort}, so each version had its turn.'
    ),
    'left_out_undated': (
        'Left out because the listing does not tell when they were made: {count}.'
    ),
    'gap_unreadable': 'Entries of the listing that could not be read: {count}.',
    'gap_surplus': 'Entries of the listing that came in answers that were far too long: {count}.',
    'gap_depth': (
        'Civitai lists no further than about 50,000 pictures from either end; '
        'what is between is not known.'
    ),
    'wanted_time': '"{given}" is no time. Write it like 2025-12-31 or 2025-12-31T18:00.',
    'error_locked': (
        '{folder} is being written by another program that does not end. Close it and try again.'
    ),
    'error_target_is_folder': '{name} is a folder, so no file of that name can be written.',
    'error_target_is_no_file': (
        '{name} is no file but a pipe, device or the like, so no file of that name can be written. '
        'Remove it or name another place.'
    ),
    'error_cancelled': 'Stopped.',
    'key_unusable': 'This cannot be an API key: it has spaces or special characters.',
    'source_empty': (
        'Paste a Civitai link first: a model, version, user, post or image page, ' 'or a model id.'
    ),
    'source_unknown': (
        '"{given}" is nothing this gallery can open. Paste the link of a model, version, '
        'user, post or image on Civitai, a model id such as 4201, or an AIR '
        '(urn:air:sdxl:lora:civitai:328553@368189).'
    ),
    'source_other_site': (
        '"{given}" is not on Civitai ({host}). Paste a link of civitai.com, civitai.red or '
        'civitai.green: a model, version, user, post or image page.'
    ),
    'source_is_key': (
        'This looks like an API key, so it was neither sent nor kept. Add it under "API key", or '
        'with the command login.'
    ),
    'source_several': 'More than one link or id was pasted. Paste one at a time.',
    'source_media': (
        'This is the address of a picture file; paste the link of its page '
        '(civitai.com/images/...) instead.'
    ),
    'source_model_list': (
        'This is a list of models, not a gallery; open one of the models and paste the link of '
        'its page instead.'
    ),
    'source_post_list': (
        'Civitai does not tell other programs the posts of everybody; paste the link of one post, '
        'of a user, or of civitai.com/images instead.'
    ),
    'source_search': (
        'Civitai lets no other program search for pictures; open one that you found and paste '
        'the link of its page instead.'
    ),
    'source_generator': (
        'The pictures of the generator are shown by Civitai to you alone; post one and paste the '
        'link of that post instead.'
    ),
    'source_collection': (
        'Civitai does not tell other programs which pictures are in a collection; open one of '
        'them and paste the link of its page or post instead.'
    ),
    'source_liked': (
        'What a user liked cannot be asked for, and these are the pictures of other people; paste '
        'the link of the user without it, or of one of the pictures.'
    ),
    'source_user_tab': (
        '"{tab}" of a user is no gallery; paste the link of the user, or of the images, videos or '
        'posts there instead.'
    ),
    'source_filter': (
        'Civitai cannot be asked for {names}, so other pictures would come; take that out of the '
        'link.'
    ),
    'source_value': (
        '"{value}" is nothing that Civitai knows as {name}; it knows {known}. Change that in the '
        'link, or take it out.'
    ),
    'source_contradiction': (
        'The link asks for both "{one}" and "{other}", and only one can be had; take the other '
        'out of the link.'
    ),
    'source_too_many': (
        'The link names {count} pictures, and Civitai can be asked for {most} at once; paste '
        'fewer at a time.'
    ),
    'source_bad_id': 'The id in "{given}" is not a number Civitai uses (1 to 2147483647).',
    'version_unknown': 'This version is not in the list. Choose one from the list.',
    'picture_unknown': 'This picture is no longer on the page. Choose another one.',
    'path_refused': (
        'This is neither a web address nor a picture of the picture cache, so it was left out.'
    ),
    'nothing_to_download': 'There are no pictures to download. Open a gallery first.',
    'model_not_known': (
        'Nothing was downloaded: Civitai does not tell the name of this model. Try again later.'
    ),
    'pictures_failed': '{failed} of {total} pictures failed: {cause}',
    'kept_aside': ('Files that were no whole pictures were kept aside: {count}, such as {name}.'),
    'download_summary': '{saved} saved, {skipped} there already.',
    'download_all_saved': '{saved} saved.',
    'cancel': 'Cancel',
    'select': 'Select',
    'select_all': 'All on this page',
    'select_none': 'None',
    'select_download': 'Download selected ({count})',
    'select_chosen': '{count} selected',
    'select_picture': 'Select picture {number}',
    'keeping_stops': 'Stopping…',
    'keeping_of': 'Pictures of {name}',
    'keeping_busy': 'A download is under way in this tab. Wait for its end, or cancel it.',
    'download_stopped': 'Stopped: {saved} saved, {skipped} there already.',
    'failures_of': 'Not saved of {name}: {count}',
    'again_picture': 'Try picture {id} again',
    'grid_saved': 'Saved',
    'folder_opened': 'Opened {folder}',
    'folder_not_opened': 'The folder could not be opened here: {folder}',
    'folder_not_here': (
        'The folder is on another computer, so it cannot be opened from this browser.'
    ),
    'folder_not_yours': 'Only the account that runs the gallery can have folders opened here.',
    'progress_loading': 'Loading pictures',
    'progress_picture': 'Downloading picture {done}/{total}',
    'source_label': 'A link, an id, or words to find models by',
    'source_placeholder': 'A Civitai link, an id, @user, or words to find models by',
    'load': 'Load',
    'version': 'Version',
    'first': '« First',
    'prev': '‹ Previous',
    'next': 'Next ›',
    'infotext': 'Generation data (infotext)',
    'infotext_placeholder': 'How the chosen picture was made stands here.',
    'download_page': 'Download page',
    'download_whole': 'Whole gallery…',
    'retry_page': 'Try the failed ones again',
    'failures_title': 'Failed pictures: {count}',
    'failures_more': '… and {count} more',
    'failures_show': 'Show more',
    'failures_again': 'Try all {count} again',
    'whole_told': (
        'Keeps everything in “{name}” that fits, up to level {ceiling}, which the settings '
        'allow. It goes on in the background; this page may be closed.'
    ),
    'whole_as_seen': 'Taken over from the filters above: {filters}.',
    'whole_versions': 'Which versions',
    'whole_all_versions': 'All {count} versions',
    'whole_one_version': 'Only {version}, the one on show',
    'whole_any': 'any',
    'whole_limit': 'At most',
    'whole_limit_hint': 'all pictures',
    'whole_level': 'Up to level',
    'whole_type': 'Type',
    'whole_since': 'Since',
    'whole_since_hint': 'like 2025-01-31',
    'whole_until': 'Before',
    'whole_until_hint': 'like 2025-12-31',
    'whole_sort': 'Sort',
    'whole_period': 'Period',
    'whole_base_model': 'Base models',
    'whole_base_model_hint': 'SDXL 1.0, Pony',
    'whole_tag': 'Tags',
    'whole_tag_hint': 'cat, 304',
    'whole_with_prompt': 'Only with a prompt',
    'whole_name': 'File names',
    'whole_sidecar': 'Files beside pictures',
    'whole_setting': '{name}: {value}',
    'whole_start': 'Start',
    'whole_close': 'Close',
    'whole_waits': 'Starting…',
    'whole_begun': 'Job {job} has begun; it is shown below.',
    'whole_bad_limit': (
        '“{given}” is no number of pictures. Write one above 0, or leave it empty for all.'
    ),
    'whole_bad_level': (
        '{given} is above the level that the settings allow ({ceiling}). Choose a lower one, or '
        'raise the maturity ceiling in the settings.'
    ),
    'whole_bad_choice': '{field}: “{given}” is not on offer. Choose one from the list.',
    'whole_bad_words': (
        '{field}: write at most {most} of them, with commas between, none longer than a line.'
    ),
    'whole_no_time_between': (
        '“Since” is not before “Before”, so no picture would be left. Change one of them.'
    ),
    'jobs_title': 'Whole galleries and models',
    'jobs_none': 'None was asked for yet.',
    'jobs_earlier': 'Earlier jobs ({count})',
    'jobs_more': 'Older jobs that are not shown: {count}.',
    'job_number': '#{job}',
    'job_unknown': 'There is no such job any more.',
    'job_waiting': 'waits its turn',
    'job_running': 'running',
    'job_elsewhere': 'running in another program',
    'job_paused': 'paused',
    'job_interrupted': 'interrupted',
    'job_stopped': 'stopped',
    'job_failed': 'failed',
    'job_cancelled': 'cancelled',
    'job_complete': 'complete',
    'job_incomplete': 'not complete',
    'job_empty': 'nothing found',
    'job_lost': 'all gone',
    'job_pause': 'Pause',
    'job_resume': 'Resume',
    'job_cancel': 'Cancel',
    'job_retry': 'Retry failed',
    'job_forget': 'Remove from list',
    'job_all_gone': 'Nothing saved. Gone from Civitai: {count} of {count}.',
    'job_gone': '{count} gone from Civitai',
    'begun_saved': '{count} saved',
    'begun_already': '{count} already there',
    'begun_failed': '{count} failed',
    'begun_gone': '{count} gone from Civitai',
    'job_kept': '{kept} of {found} pictures kept',
    'job_why_ahead': 'jobs before it: {count}',
    'job_why_failed': '{count} failed',
    'job_why_unlisted': 'not all of it could be listed',
    'job_since': 'since {when}',
    'job_cancel_note': 'Ends it as it is. The files stay.',
    'job_forget_note': 'Takes it off this list. The files stay where they are.',
    'job_goes_on': 'Job {job} goes on; it is shown below.',
    'job_goes_anew': 'Job {job} looks again for what is new; what is there is not fetched again.',
    'job_goes_ahead': 'Job {job} is at it already; it is shown below.',
    'job_waits': (
        'Job {job} waits behind other jobs ({count} at this moment). It begins by itself and is '
        'shown below.'
    ),
    'job_tries_again': 'Job {job} tries again what is missing.',
    'job_is_paused': 'Job {job} is paused, also after a restart; “Resume” goes on with it.',
    'job_is_cancelled': 'Job {job} is cancelled. Its files stay; “Resume” goes on with it.',
    'job_is_forgotten': 'Job {job} is off the list. Its files stay where they are.',
    'job_far': '{done} of {found} pictures',
    'job_far_so_far': '{done} of {found} pictures found so far',
    'job_looking': 'Looking what there is…',
    'job_rate': '{mib} MiB/s',
    'job_rate_slow': '{kib} KiB/s',
    'job_size': '{mib} MiB',
    'job_left_seconds': 'about {seconds} s left',
    'job_left_minutes': 'about {minutes} min left',
    'job_count_found': 'found',
    'job_count_saved': 'saved',
    'job_count_already': 'already there',
    'job_count_failed': 'failed',
    'job_count_gone': 'gone',
    'job_failed_so': '{failed} failed: {cause}',
    'job_failed_mostly': '{failed} failed, {count} of them: {cause}',
    'job_failed_some': '“Retry failed” tries again what failed and what could not be listed.',
    'job_hidden': 'Left out because above level {ceiling}: {count}.',
    'job_about': 'Details',
    'job_folder': 'Folder',
    'job_source': 'Link',
    'job_asked': 'Asked for',
    'job_asked_all': 'everything',
    'open_folder': 'Open folder',
    'resources': 'Resources used',
    'open_on_civitai': 'Open on Civitai',
    'no_infotext': 'The uploader did not share how this was made.',
    'infotext_unknown': 'Civitai does not tell how this was made.',
    'workflow_only': 'There is a ComfyUI workflow and nothing else. Save it to open it in ComfyUI.',
    'workflow': 'Save the ComfyUI workflow',
    'picture_none': 'Choose a picture of the grid: it is shown here, with how it was made.',
    'prompt': 'Prompt',
    'negative_prompt': 'Negative prompt',
    'generation_settings': 'Settings',
    'workflow_title': 'ComfyUI workflow',
    'copy': 'Copy',
    'copied': 'Copied',
    'copy_failed': 'Could not be copied: mark it and press Ctrl+C.',
    'lightbox_open': 'Show it large',
    'lightbox': 'The chosen picture, large',
    'lightbox_close': 'Close (Esc)',
    'lightbox_previous': 'Previous picture (←)',
    'lightbox_next': 'Next picture (→)',
    'lightbox_full': 'Full size',
    'lightbox_full_loads': 'Fetching the original…',
    'lightbox_failed': 'The large picture did not come, so this is the small one. {cause}',
    'lightbox_turns': 'Turning the page…',
    'lightbox_end': 'There is no further picture.',
    'lightbox_waits': 'Asking how it was made…',
    'lightbox_copy_all': 'Copy the whole generation data',
    'picture_keep': 'Download',
    'picture_told': 'Shown: {picture}',
    'mark_favourite': 'Favourite',
    'favourites': 'Favourites',
    'favourites_none': (
        'There are no favourites yet, or none up to this level. Choose a picture and press '
        '★ Favourite.'
    ),
    'mark_hidden': 'Hide',
    'marked_hidden': 'Hidden',
    'marks_not_from_here': 'Only who owns the gallery, on its own computer, marks pictures.',
    'hidden_by_you': '{count} hidden by you.',
    'hidden_shown': '{count} that you hid are shown.',
    'hide_again': 'Hide them again',
    'keys': 'Keys',
    'keys_close': 'Close',
    'key_arrows': 'Through the pictures',
    'key_enter': 'Choose the picture; once more: show it large',
    'key_large': 'Show the picture large, and back',
    'key_pages': 'Next and previous page',
    'key_keep': 'Download the chosen picture, or the page if none is chosen',
    'key_favourite': 'Mark the chosen picture as a favourite (the owner)',
    'key_nearer': 'Large: nearer, farther, as it was',
    'key_original': 'Large: full size',
    'key_escape': 'Close what lies over the page; leave the box',
    'key_source': 'To the box for links and words',
    'key_list': 'This list',
    'title_model': 'Model {number}',
    'title_version': 'Version {number}',
    'title_post': 'Post {number}',
    'title_image': 'Image {number}',
    'title_user': 'User {number}',
    'title_images': 'Pictures on Civitai',
    'title_videos': 'Videos on Civitai',
    'page_number': 'Page {number}',
    'page_number_last': 'Page {number} (last)',
    'grid': 'Pictures',
    'grid_picture': 'Picture {number} of {total}',
    'grid_picture_alone': 'Picture {number}',
    'grid_damaged': 'The picture cannot be shown: its file is damaged or gone.',
    'grid_again': 'Try again',
    'grid_video': 'Video',
    'grid_sound': 'Sound',
    'grid_level': 'Level {level}',
    'grid_prompt': 'With prompt and settings',
    'saved_no_still': 'No small picture can be made of this file on this computer.',
    'filters': 'What to see',
    'filters_fold': 'Filters',
    'filter_level': 'Level',
    'filter_level_why': 'Levels above these are offered once “{name}” in the settings allows them.',
    'filter_sort': 'Sort',
    'filter_period': 'Period',
    'filter_type': 'Type',
    'filter_base_models': 'Base model',
    'filter_with_prompt': 'With prompt only',
    'filter_any': 'Any',
    'filter_up_to': 'Up to {level}',
    'filter_sort_any': 'Default order',
    'filter_sort_usual': '{sort} (default)',
    'filter_sort_most_reactions': 'Most reactions',
    'filter_sort_most_comments': 'Most comments',
    'filter_sort_most_collected': 'Most collected',
    'filter_sort_newest': 'Newest',
    'filter_sort_oldest': 'Oldest',
    'filter_period_any': 'All time',
    'filter_period_year': 'Year',
    'filter_period_month': 'Month',
    'filter_period_week': 'Week',
    'filter_period_day': 'Day',
    'filter_type_any': 'All',
    'filter_type_image': 'Pictures',
    'filter_type_video': 'Videos',
    'filter_type_audio': 'Sounds',
    'version_all': 'All {count} versions',
    'left_nothing': 'Nothing left on this page.',
    'left_nothing_here': 'No pictures here.',
    'left_nothing_such': 'Nothing here with these filters:',
    'left_tag': 'tag {tag}',
    'left_out': '{count} of {total} hidden: {by}',
    'left_show': 'Show',
    'left_show_all': 'Show all',
    'left_by_ceiling': 'The setting “Maturity ceiling” allows no more.',
    'hidden_with_prompt': 'Hidden because they have no prompt: {count}.',
    'hidden_type': 'Hidden because of another type: {count}.',
    'hidden_base_models': 'Hidden because of another base model: {count}.',
    'status_nothing_such': 'Nothing here with these filters. Take one away, or try another link.',
    'origin_live': 'Live from {host}.',
    'origin_kept': 'From the files kept on this computer.',
    'origin_offline': 'Civitai is out of reach: from the files kept on this computer.',
    'all_versions_by_date': 'Civitai lists all versions of a model by date only.',
    'address_no_words': (
        'The address of this page asks for a search, but not by words that one can search by. Type '
        'above what you look for.'
    ),
    'page_not_there': (
        'This page of the gallery cannot be reached by its address any more: here is the first one.'
    ),
    'load_cancel': 'Cancel',
    'wait_try': '(try {attempt} of {tries})',
    'wait_try_until': '(try {attempt}; no more tries after {left} s)',
    'more': 'Load more ›',
    'status_start': (
        'Paste a Civitai link above, or type words to find models by, and press Load; or begin '
        'with one of these.'
    ),
    'status_loading': 'Loading the gallery…',
    'status_pictures': 'Loading the pictures…',
    'of_before': 'Still the gallery from before: what you asked for last could not be loaded.',
    'of_before_keeps': 'These buttons download “{name}”, which is still on show.',
    'status_ready': '{count} pictures.',
    'status_ready_one': '1 picture.',
    'status_nothing': (
        'No pictures here up to your maturity ceiling ({ceiling}). Try another version, or another '
        'link.'
    ),
    'status_nothing_of_version': (
        'The version {version} has no pictures up to your maturity ceiling ({ceiling}). Try '
        'another version, or another link.'
    ),
    'hidden': 'Hidden because above your maturity ceiling ({ceiling}): {count}.',
    'foreign': 'Left out because they are not what was asked for: {count}.',
    'unreadable': 'Left out because what Civitai sent of them could not be read: {count}.',
    'model_gone': (
        'Civitai no longer knows this model; the pictures that were made with it are still listed.'
    ),
    'surplus': 'Left out because Civitai sent more than was asked for: {count}.',
    'packages_missing': (
        'Civitai Gallery needs packages that this WebUI lacks or has in a version that is too old. '
        'Run this command, then start the WebUI again: {command}'
    ),
    'send_waits': 'Fetching the original of the picture…',
    'sent_to': 'Sent to {target}.',
    'sent_lacks_checkpoint': 'The checkpoint is not here: {names}.',
    'sent_lacks_lora': '{count} of {total} LoRAs are not here: {names}.',
    'sent_lacks_embedding': '{count} of {total} embeddings are not here: {names}.',
    'sent_lacks_vae': 'The VAE is not here: {names}.',
    'sent_unknown': 'Not of every model it is known whether it is here; “Scan” finds out.',
    'send_txt2img': 'Send to txt2img',
    'send_img2img': 'Send to img2img',
    'send_inpaint': 'Send to inpaint',
    'send_extras': 'Send to extras',
    'send_control': 'Send to control',
    'key_title': 'API key',
    'key_help': 'From your Civitai account settings. It is never shown again.',
    'key_show': 'Enter a key',
    'key_save': 'Save key',
    'key_remove': 'Remove key',
    'key_empty': 'The field is empty, so nothing was changed.',
    'key_none': 'No API key is set. Most galleries need none.',
    'key_set': 'An API key is set: {masked}',
    'key_saved': 'The API key is saved: {masked}.',
    'key_removed': 'The API key is removed.',
    'key_not_from_here': (
        'The API key can be changed only on the computer the gallery runs on, by the account that '
        'runs it. There you can also set the environment variable CIVITAI_TOKEN.'
    ),
    'name_not_answered': (
        'Civitai Gallery does not answer under this host name. If the name is yours, start the '
        'gallery with --allow-host and the name.'
    ),
    'other_site': (
        'A page of another site asked for this, so it was refused. Open Civitai Gallery itself and '
        'try again.'
    ),
    'no_uploads': 'Civitai Gallery takes no files.',
    'not_your_gallery': (
        'This gallery belongs to another account of this computer, which alone can use it. Start '
        'one of your own: it takes another port by itself.'
    ),
    'owner_untold': (
        'This system does not tell which account is asking; if the gallery is yours, edit the file '
        '{path} by hand and start again.'
    ),
    'key_refused': (
        'Civitai does not know this key (401), so it was not kept. Copy it again from your account '
        'settings.'
    ),
    'host_unusable': 'This computer has no address {host} to listen on. Name another with --host.',
    'key_works': 'Civitai knows it as {username}.',
    'key_from_environment': (
        'The API key comes from the environment variable CIVITAI_TOKEN and cannot be changed '
        'here.'
    ),
    'settings_title': 'Settings',
    'settings_of_webui': (
        'The other settings stand on the page “Settings” of the WebUI, under “Civitai Gallery”.'
    ),
    'settings_save': 'Save settings',
    'settings_more': 'More: speed, network, names of files, models',
    'settings_saved': 'Saved: {names}.',
    'settings_same': 'Nothing else was changed.',
    'settings_later_gallery_columns': 'The columns count from the next page of pictures on.',
    'settings_later_language': 'The language counts once the page is opened anew.',
    'setting_help_range': '{help} From {minimum} to {maximum}.',
    'setting_range': '{name} (from {minimum} to {maximum})',
    'setting_choices': '{name} (one of {choices})',
    'settings_refused': 'Not saved, because not usable: {names}.',
    'settings_not_from_here': (
        'Settings can be changed only on the computer the gallery runs on, by the account that '
        'runs it.'
    ),
    'cache_title': 'Picture cache',
    'cache_size': 'It holds {size} MiB of at most {limit} MiB.',
    'cache_clear': 'Clear picture cache',
    'cache_cleared': 'Cleared. {size} MiB are left: pictures that are on a screen stay.',
    'cache_not_from_here': (
        'The picture cache can be cleared only on the computer the gallery runs on.'
    ),
    'running_at': 'Civitai Gallery is running at {url} (Ctrl-C ends it)',
    'argument_not_text': 'What follows {name} is no readable text. Give it again in UTF-8.',
    'port_unusable': '{port} is no port. Name one from 1 to {last} with --port, or 0 for any.',
    'allow_host_unusable': (
        '"{name}" is no host name. Name one such as gallery.example with --allow-host.'
    ),
    'no_free_port': 'No free port from {port} on. Name another one with --port.',
    'cli_page_done': (
        '{saved} saved, {skipped} there already, {failed} failed, in {folder}. Complete.'
    ),
    'cli_complete': '{told}, in {folder}. Complete.',
    'cli_incomplete': '{told}, in {folder}. Not complete.',
    'cli_listed': (
        '{found} found: {new} would be saved and {already} are there already, counting '
        '{folder}. Nothing was kept.'
    ),
    'cli_endings': (
        'What stands behind the dot is what the address says; a file is looked at when it comes, '
        'and only then is its ending known.'
    ),
    'cli_more_paths': '... and {count} more (all of them with --verbose or --json)',
    'cli_gone': (
        'Gone from Civitai, or never to be had, so not kept: {count}, such as {ids}. '
        '`retry {job} --gone` asks for them again.'
    ),
    'cli_nothing_failed': 'Nothing failed in job {job}, so there is nothing to try again.',
    'cli_saved_before': '{count} saved now and {before} before',
    'same_bytes': ('Byte for byte the same as a picture of another id: {count}, such as {ids}.'),
    'cli_so_far': (
        '{found} found on {pages} pages, {saved} saved, {already} there already, {failed} '
        'failed, {gone} gone, {mib} MiB'
    ),
    'cli_bar': (
        '{done}/{found}, pages: {pages}, failed: {failed}, {mib} MiB ({rate} MiB/s), {left} left'
    ),
    'cli_job': '{job}  {state}  {title}  {at}  {counts}  {folder}  up to {level} {asked}',
    'cli_and': '{one}, {other}',
    'cli_count_found': '{count} found',
    'cli_count_saved': '{count} saved',
    'cli_count_already': '{count} there already',
    'cli_count_failed': '{count} failed',
    'cli_count_gone': '{count} gone from Civitai',
    'cli_count_gaps': 'gaps in the listing: {count}',
    'cli_count_left': '{count} still to fetch',
    'cli_not_complete': 'incomplete: {why}',
    'cli_not_all_listed': 'not all was listed',
    'cli_no_jobs': 'There are no jobs yet. Each download is one.',
    'cli_nothing_to_resume': 'No job waits to be gone on with.',
    'cli_not_resumed': (
        'Job {job} has failed, and is left alone: {why} `resume {job}` tries once more, '
        '`jobs drop {job}` takes it off the list.'
    ),
    'cli_drop_which': 'which? as in `jobs drop 3`',
    'cli_job_dropped': 'Job {job} is off the list. Its files stay, in {folder}',
    'cli_model_job_dropped': (
        'Job {job} is off the list. A file that is whole stays, in {folder}; what came of one that '
        'is not is taken away.'
    ),
    'cli_no_such_job': 'There is no job {job}. The word jobs lists those there are.',
    'cli_job_held': 'Another program is at job {job} just now; it is left to that one.',
    'cli_no_folder': 'the name of the folder or file is empty',
    'cli_no_count': '{given} is not a number above 0',
    'cli_too_many': 'at most {most} at the same time',
    'cli_no_choice': '{given} is none of: {known}',
    'cli_empty': 'this is empty',
    'cli_unreadable': '{name} cannot be read: {reason}',
    'cli_no_text': '{name} is no text in UTF-8, nor in UTF-16 with its mark; save it in UTF-8',
    'cli_no_source': (
        'Name a SOURCE: a Civitai link, a model id or an AIR; - reads them from standard '
        'input, --from FILE from a file.'
    ),
    'cli_no_time_between': '--since is not before --until, so no picture would be left',
    'parquet_needs_pyarrow': (
        'Parquet needs pyarrow, which is not installed here. Install it with: {python} -m pip '
        'install pyarrow'
    ),
    'table_unreadable': (
        '{name} is no whole Parquet table. What could be read of it was taken in.'
    ),
    'table_no_parquet': (
        '{name} is no Parquet table. Only Parquet is taken in: the tables that img2dataset writes '
        'beside its folders, such as 00000.parquet.'
    ),
    'table_foreign': (
        '{name} is no table of img2dataset with ids of Civitai: it lacks {columns}. Have it keep '
        'the id: --save_additional_columns \'["id"]\'.'
    ),
    'cli_export_no_source': (
        '{source} is neither a Civitai link or model id nor a folder that is there.'
    ),
    'cli_export_folder_order': (
        'a folder has no --sort, --period or --tag; these are for what Civitai lists'
    ),
    'cli_export_terminal': (
        'Parquet is nothing for a terminal; name a file with --output FILE, or a pipe'
    ),
    'cli_export_no_format': (
        '.{ending} is none of the formats of a table: {known}. Call the file so, or say which one '
        'with --format'
    ),
    'cli_export_other_format': '--format {form} does not go with a file called .{ending}',
    'cli_export_no_folder': 'the folder {folder}, where the table is to be, is not there',
    'cli_export_folder_unknown': (
        'Nothing in {folder} was kept by this program. Keep a gallery there with `download LINK '
        '--to {folder}`, which fetches nothing that is there already, or give the link instead of '
        'the folder.'
    ),
    'cli_export_missing': (
        'Left out, because they were moved, changed or deleted: {count} files. `verify` tells '
        'which.'
    ),
    'cli_export_unlisted': (
        'Of {count} pictures it is not known here what Civitai says of them, so their rows have '
        'no address; `download` of their gallery makes it known.'
    ),
    'cli_export_refused': (
        'Of {count} pictures the address is of a host that is not known as Civitai\'s, so their '
        'rows have none. If you trust it, name it in the setting extra_hosts.'
    ),
    'table_pipe_closed': (
        'The program that read the table stopped reading; the rest was not written.'
    ),
    'cli_exported': '{rows} pictures in {output}.',
    'cli_export_nothing': 'No picture that fits was found, so {output} was not written.',
    'cli_exported_to_pipe': '{rows} pictures.',
    'cli_export_stopped': 'Stopped. Nothing was written to {output}.',
    'cli_export_cut_off': 'Stopped after {rows} pictures; the table is not whole.',
    'cli_import_no_tables': '{name} is no table of img2dataset, and no folder with such',
    'cli_imported': (
        '{kept} pictures taken in, {already} known already, {failed} failed there, {missing} '
        'missing, {packed} packed in tar files, {refused} refused.'
    ),
    'cli_import_stopped': 'Stopped. {kept} pictures were taken in; the same command goes on.',
    'cli_import_cause': 'Failed there: {count}, {cause}',
    'cli_import_missing': (
        'Not beside their tables, though these say that they were kept: {count}. Each table looks '
        'into the folder of its own name.'
    ),
    'cli_import_packed': (
        'In tar files: {count}. Unpack each into a folder of its name (mkdir 00000; tar -xf '
        '00000.tar -C 00000) and take the tables in again.'
    ),
    'cli_import_way_on': (
        'What is missing is fetched by `download` of the same gallery, which uses what was taken '
        'in again.'
    ),
    'import_unknown': (
        'Refused, because this archive does not know the picture: {count}. `export` the gallery '
        'here once, which makes its pictures known.'
    ),
    'import_other_address': 'Refused, because the address is not that of the picture: {count}.',
    'import_elsewhere': 'Refused, because they name no file of their own shard: {count}.',
    'import_of_another': 'Refused, because their file is another picture: {count}.',
    'import_no_hash': (
        'Refused, because the table has no SHA-256 of what came: {count}. img2dataset writes it '
        'with --compute_hash sha256.'
    ),
    'import_no_picture': 'Refused, because the file is no whole picture: {count}.',
    'import_not_as_it_came': (
        'Refused, because the file is not what came, but made smaller, encoded anew or changed: '
        '{count}. Run img2dataset with --resize_mode no --disable_all_reencoding True.'
    ),
    'cli_not_a_folder': '{folder} is no folder',
    'cli_verified': (
        '{folder}: {good} good, {missing} missing, {changed} changed, {broken} broken.'
    ),
    'cli_only_opened': (
        '{count} of the good ones are not known here: they were only opened, as there is nothing '
        'to compare them with.'
    ),
    'cli_repaired': 'Repaired: {count}. Before: {was}.',
    'cli_count_missing': '{count} missing',
    'cli_count_changed': '{count} changed',
    'cli_count_broken': '{count} broken',
    'cli_file_missing': '{file} is missing.',
    'cli_file_changed': '{file} is not what was saved.',
    'cli_file_broken': '{file} is no whole picture.',
    'cli_file_repaired': '{file} was fetched again.',
    'repair_unknown': 'Nobody knows which picture this was, so it cannot be fetched again.',
    'cli_ask_key': 'API key (it is not shown):',
    'cli_no_key': 'no API key was given',
    'cli_key_kept': 'It is kept in {file}, for you alone to read.',
    'cli_no_setting': 'there is no setting {name}; there are {known}',
    'cli_setting_fixed': '{name} is decided by the environment variable {variable}',
    'cli_setting_wrong': '{name}: {why}',
    'cli_setting_bad': 'this cannot be {name}; it may be: {may}',
    'help_usage': 'Usage: {usage}',
    'help_help': 'Show this help.',
    'help_panel_given': 'What is named',
    'help_panel_which': 'Which pictures',
    'help_panel_where': 'From where, to where',
    'help_panel_how': 'How it is done and told',
    'help_download': (
        'Keep whole galleries of Civitai: every picture of a model with all its versions, of a '
        'version, user, post or search, with its generation data. What is there is not fetched '
        'again; the same command goes on where it was stopped; what is missing at the end is '
        'told.'
    ),
    'help_download_examples': (
        'Examples:\n\npython civitai_gallery.py download https://civitai.com/models/4201\n\n'
        'python civitai_gallery.py download 4201 --limit 100 --sort newest --to pictures\n\n'
        'python civitai_gallery.py download https://civitai.com/user/somebody \\\n'
        '--since 2025-01-01 --type image --with-prompt\n\n'
        'python civitai_gallery.py download --from links.txt --json \\\n'
        "--name '{{username}}/{{created:%Y-%m}}/{{id}}'\n\n"
        'python civitai_gallery.py download 4201 --dry-run\n\nExit codes: 0 complete, 1 failed or '
        'incomplete, 2 wrong usage, 130 Ctrl-C, 143 SIGTERM.'
    ),
    'help_download_sources': (
        'Links of models, versions, users, posts, images or searches; model ids; AIRs. A lone '
        '- reads them from standard input, one a line.'
    ),
    'help_download_to': (
        'Folder for the pictures. Default: for each source a folder of its own in the download '
        'folder.'
    ),
    'help_download_from_': 'A file of sources, one a line; lines that begin with # are left out.',
    'help_download_name': (
        'What files are called; / makes folders. Fields: {{id}} {{uuid}} {{username}} '
        '{{post_id}} {{position}} {{created:%Y-%m-%d}} {{model}} {{version}} {{base_model}} '
        '{{seed}} {{index}} {{level}}. {{position}} is told for the link of a post only; what is '
        'not told reads unknown. Default: {{id}}'
    ),
    'help_download_limit': 'At most so many pictures of each source. Default: all there are.',
    'help_download_since': (
        'Made at this time or later, in ISO 8601 (2025-12-31 or 2025-12-31T18:00+01:00), in '
        'UTC without a zone. What counts is createdAt; where Civitai answers from its search '
        'engine, that is the time by which it sorts.'
    ),
    'help_download_until': 'Made before this time.',
    'help_download_level': (
        'The most mature pictures to ask for in this run: PG, PG-13, R, X or XXX. Default: the '
        'setting gallery_maturity_ceiling.'
    ),
    'help_download_type_': 'Only this type: image, video or audio. Default: all.',
    'help_download_with_prompt': 'Only pictures whose prompt Civitai shows.',
    'help_download_base_model': (
        "Only pictures made with this base model, such as 'SDXL 1.0'. May be said several " 'times.'
    ),
    'help_download_sort': (
        'Most Reactions, Most Comments, Most Collected, Newest or Oldest. Default: what the '
        'link says, else Newest; with --limit, but not for a model, the usual order of the site.'
    ),
    'help_download_period': 'Only of the last Day, Week, Month or Year. Default: AllTime.',
    'help_download_tag': (
        'Only pictures with this tag. An id is asked for; a name is compared here with what '
        'Civitai tells of each picture. May be said several times: one of them is enough.'
    ),
    'help_download_concurrency': (
        'Downloads at the same time, 1 to 64. Default: the setting '
        'gallery_max_concurrent_downloads.'
    ),
    'help_download_as_json': (
        'Print one JSON object at the end. While it runs, stderr gets events, one JSON object '
        'a line.'
    ),
    'help_download_embed': (
        'Write prompt and settings into the pictures, or do not. Default: as '
        'gallery_embed_infotext says.'
    ),
    'help_download_sidecar': (
        'Files beside each picture: json (all that Civitai said), txt (prompt and settings), '
        'caption (the prompt, for training), several with commas between, or none. Default: as '
        'gallery_sidecars says.'
    ),
    'help_download_refresh_sidecars': (
        'Write files beside pictures anew that are there and were not changed by anybody.'
    ),
    'help_download_quiet': 'Tell problems only.',
    'help_download_verbose': (
        'Tell each try and each wait on stderr, and with --dry-run all names on a terminal too.'
    ),
    'help_download_dry_run': 'List and count, and say what would be saved; keep nothing.',
    'help_jobs': (
        'List the jobs: whole galleries and models, with how far each is. A job whose '
        'program was killed is interrupted. With drop, take jobs off the list; files that are '
        'whole stay.'
    ),
    'help_jobs_examples': (
        'Examples:\n\npython civitai_gallery.py jobs\n\npython civitai_gallery.py jobs drop 3 4'
    ),
    'help_jobs_what': 'Take the jobs that are named off the list.',
    'help_jobs_numbers': 'Their numbers, as the list tells them.',
    'help_jobs_as_json': 'Print them as a JSON list.',
    'help_resume': 'Go on with a job, or with all that were stopped or interrupted.',
    'help_resume_examples': (
        'Examples:\n\npython civitai_gallery.py resume\n\npython civitai_gallery.py resume 7 '
        '--json'
    ),
    'help_resume_refresh_sidecars': (
        'Write files beside pictures anew that are there and were not changed by anybody.'
    ),
    'help_resume_job': (
        'The number of the job. Default: all that have not ended, without those that failed for '
        'good.'
    ),
    'help_retry': (
        'Do again what failed in a job: pictures that did not come, and pages of the listing '
        'that are missing. What is there is not touched.'
    ),
    'help_retry_examples': (
        'Examples:\n\npython civitai_gallery.py retry 7\n\npython civitai_gallery.py retry 7 --gone'
    ),
    'help_retry_gone': (
        'Also ask again for pictures that Civitai said it had no more; some come back.'
    ),
    'help_retry_refresh_sidecars': (
        'Write files beside pictures anew that are there and were not changed by anybody.'
    ),
    'help_retry_job': 'The number of the job, as the word jobs tells it.',
    'help_export': (
        'Write a table of pictures for other programs, one row a picture: url, caption, file, id, '
        'width, height, sha256, username, page, meta. Of a link it is what Civitai lists now; of '
        'a folder what was kept there, without asking anybody.'
    ),
    'help_export_examples': (
        'Examples:\n\npython civitai_gallery.py export pictures --format csv --output '
        'pictures.csv\n\npython civitai_gallery.py export 4201 --with-prompt --output '
        '4201.jsonl\n\npython civitai_gallery.py export 4201 | head -3\n\nA file has its name '
        'once it is whole. Exit codes: 0 complete, 1 failed or incomplete (as where `head` stops '
        'reading), 2 wrong usage, 130 Ctrl-C, 143 SIGTERM.'
    ),
    'help_export_source': (
        'A link as download takes it, or a folder that download kept; what is a folder here is '
        'taken as one.'
    ),
    'help_export_format_': (
        'jsonl, csv (a \' stands before text that a spreadsheet would take for a formula) or '
        'parquet (needs pyarrow). Default: as the name of the file ends, jsonl without an ending.'
    ),
    'help_export_output': (
        'The file, in a folder that is there. One of that name is replaced, unless no picture '
        'fits. Default: -, which is standard output.'
    ),
    'help_export_limit': 'At most so many pictures. Default: all there are.',
    'help_export_since': 'Made at this time or later, in ISO 8601, in UTC without a zone.',
    'help_export_until': 'Made before this time.',
    'help_export_level': (
        'The most mature pictures: PG, PG-13, R, X or XXX. Default: of a link as '
        'gallery_maturity_ceiling says, of a folder all.'
    ),
    'help_export_type_': 'This type: image, video or audio. Default: image.',
    'help_export_with_prompt': 'Only pictures whose prompt Civitai or, if kept, the file tells.',
    'help_export_base_model': (
        "Only pictures made with this base model, such as 'SDXL 1.0'. May be said several times."
    ),
    'help_export_sort': (
        'Of a link only: Most Reactions, Most Comments, Most Collected, Newest or Oldest.'
    ),
    'help_export_period': 'Of a link only: the last Day, Week, Month or Year. Default: AllTime.',
    'help_export_tag': (
        'Of a link only: with this tag, by id or name. May be said several times: one of them is '
        'enough.'
    ),
    'help_export_as_json': (
        'Print one JSON object at the end, on stderr where the table goes to standard output. '
        'While it runs, stderr gets events, one JSON object a line.'
    ),
    'help_export_quiet': 'Tell problems only.',
    'help_import-table': (
        'Take into the archive what img2dataset kept, by the tables that it wrote. Files stay '
        'where and as they are. Each is compared with the SHA-256 of what came; download then '
        'uses it instead of fetching it, and verify looks after it.'
    ),
    'help_import-table_examples': (
        'Examples:\n\npython civitai_gallery.py import-table kept/*.parquet\n\npython '
        'civitai_gallery.py import-table kept --json\n\nExit codes: 0 all pictures of the tables '
        'are kept, 1 some failed, are missing or were refused, 2 wrong usage.'
    ),
    'help_import-table_given': 'Tables of img2dataset (00000.parquet), or folders with such.',
    'help_import-table_as_json': 'Print one JSON object at the end.',
    'help_import-table_quiet': 'Tell problems only.',
    'help_verify': (
        'Look at every picture in a folder and below: what was saved is read whole and '
        'compared with its SHA-256, and each picture is opened to its last pixel. Videos are '
        'looked at from their beginning to their end mark.'
    ),
    'help_verify_examples': (
        'Examples:\n\npython civitai_gallery.py verify pictures\n\npython civitai_gallery.py '
        'verify pictures --repair'
    ),
    'help_verify_folder': 'The folder.',
    'help_verify_repair': (
        'Fetch again what is missing, changed or broken; what is in its place is kept aside as '
        'NAME.odd-N.'
    ),
    'help_verify_as_json': 'Print one JSON object at the end.',
    'help_login': (
        'Ask for your Civitai API key, see whether Civitai knows it, and keep it where only '
        'you can read it. It is not shown; it can come through a pipe too.'
    ),
    'help_login_examples': 'Example: python civitai_gallery.py login',
    'help_config': (
        'Show all settings, or one, or set one. The API key is not among them and is never '
        'shown; see login.'
    ),
    'help_config_examples': (
        'Examples:\n\npython civitai_gallery.py config\n\npython civitai_gallery.py config '
        'gallery_maturity_ceiling R'
    ),
    'help_config_name': 'The setting. Default: all are shown.',
    'help_config_value': 'Its new value.',
    'help_cache': 'Tell where the picture cache is and how large, or empty it.',
    'help_cache_examples': 'Example: python civitai_gallery.py cache --clear',
    'help_cache_clear': 'Remove all pictures that are not on a screen just now.',
    'help_resume_concurrency': (
        'Downloads at the same time, 1 to 64. Default: the setting '
        'gallery_max_concurrent_downloads.'
    ),
    'help_resume_as_json': (
        'Print one JSON object at the end. While it runs, stderr gets events, one JSON object '
        'a line.'
    ),
    'help_resume_quiet': 'Tell problems only.',
    'help_resume_verbose': 'Tell each try and each wait on stderr.',
    'help_retry_concurrency': (
        'Downloads at the same time, 1 to 64. Default: the setting '
        'gallery_max_concurrent_downloads.'
    ),
    'help_retry_as_json': (
        'Print one JSON object at the end. While it runs, stderr gets events, one JSON object '
        'a line.'
    ),
    'help_retry_quiet': 'Tell problems only.',
    'help_retry_verbose': 'Tell each try and each wait on stderr.',
    'cli_hidden': (
        'Left out because above your maturity ceiling ({ceiling}): {count}. --level raises it for '
        'one run. The setting gallery_maturity_ceiling raises it.'
    ),
    'cli_up_to': '(up to {ceiling}; --level {more} asks for more)',
    'cli_more': '(--level {more} asks for more)',
    'cli_other_versions': 'The version {version} has no pictures; others may: {links}',
    'cli_other_versions_up_to': (
        'The version {version} has no pictures up to {ceiling} (--level {more} asks for more); '
        'others may: {links}'
    ),
    'cli_nothing': 'No pictures found up to your maturity ceiling ({ceiling}).',
    'cli_stopped': (
        'Stopped. {told}, in {folder}. `resume {job}` goes on '
        'from there, and so does the same command.'
    ),
    'cli_stopped_early': 'Stopped before anything was kept. The same command begins again.',
    'cli_once_more': '`resume {job}` tries once more, `jobs drop {job}` takes it off the list.',
    'cli_go_on': '`resume {job}` goes on from there.',
    'cli_retry_failed': '`retry {job}` tries the {count} that failed again.',
    'cli_retry_gaps': '`retry {job}` asks again for what could not be listed.',
    'cli_retry_both': (
        '`retry {job}` tries the {count} that failed again, and asks again for what could not be '
        'listed.'
    ),
    'setting_civitai_base_url': 'Civitai address',
    'setting_civitai_base_url_help': 'Which site is asked; the API key goes only there.',
    'language_auto': 'Automatic',
    'language_en': 'English',
    'language_zh_TW': '繁體中文',
    # its name in both, for who cannot read the page
    'setting_language': 'Language (語言)',
    'setting_language_help': (
        'Automatic (auto): that of the WebUI, English outside of one. The app changes at once; in '
        'a WebUI messages do, buttons and labels after Reload UI or a restart.'
    ),
    'setting_gallery_maturity_ceiling': 'Maturity ceiling',
    'setting_gallery_maturity_ceiling_help': (
        'The most mature pictures that may be shown, from the next page on.'
    ),
    'setting_gallery_columns': 'Columns',
    'setting_gallery_columns_help': (
        'About how many pictures stand side by side, as each keeps its own shape; from the next '
        'page on. Columns times rows is how many a page has.'
    ),
    'setting_gallery_rows': 'Rows',
    'setting_gallery_rows_help': 'Rows of pictures on a page, from the next Load on.',
    'setting_gallery_endless': 'Load more instead of pages',
    'setting_gallery_endless_help': (
        'The next page comes below the pictures that are there, up to 600 of them.'
    ),
    'setting_gallery_max_concurrent_downloads': 'Downloads at once',
    'setting_gallery_max_concurrent_downloads_help': (
        'How many pictures are fetched at the same time.'
    ),
    'setting_gallery_download_batch_size': 'Batch size',
    'setting_gallery_download_batch_size_help': 'Pictures per batch when downloading in batches.',
    'setting_gallery_download_timeout': 'Picture time-out (s)',
    'setting_gallery_download_timeout_help': (
        'Seconds without a byte before a picture is tried again.'
    ),
    'setting_model_download_segments': 'Connections for one model file',
    'setting_model_download_segments_help': (
        'A file above 64 MiB comes in so many parts at once, where the storage can do that.'
    ),
    'setting_model_download_rate': 'Most MiB a second for model files',
    'setting_model_download_rate_help': 'All model files together come no faster; 0 for no limit.',
    'setting_model_file_format': 'Preferred format of model files',
    'setting_model_file_format_help': (
        'Of several main files of a version, one of this format is taken, if there is one.'
    ),
    'setting_model_file_size': 'Preferred size of model files',
    'setting_model_file_size_help': (
        'pruned: smaller, enough to make pictures. full: also to train. Empty: as the site does.'
    ),
    'setting_model_file_precision': 'Preferred precision of model files',
    'setting_model_file_precision_help': 'Such as fp16; empty: as the site does.',
    'setting_download_timeout': 'Model file time-out (s)',
    'setting_download_timeout_help': (
        'Seconds without a byte before a part of a model file is tried again.'
    ),
    'setting_download_max_retries': 'Retries of model files',
    'setting_download_max_retries_help': (
        'Further tries in a row after failures of a model file that bring nothing.'
    ),
    'setting_download_retry_delay': 'Retry delay of model files (s)',
    'setting_download_retry_delay_help': 'Wait before the first such retry; it doubles each time.',
    'setting_http_timeout': 'API time-out (s)',
    'setting_http_timeout_help': 'Seconds to wait for an answer of the API.',
    'setting_http_max_retries': 'Retries',
    'setting_http_max_retries_help': 'Further tries after a failure that may pass.',
    'setting_http_retry_delay': 'Retry delay (s)',
    'setting_http_retry_delay_help': 'Wait before the first retry; it doubles each time.',
    'setting_http_proxy': 'Proxy',
    'setting_http_proxy_help': (
        'Address of a proxy (http, https, socks5, socks5h); empty: that of the environment.'
    ),
    'setting_http_ca_bundle': 'Own certificates',
    'setting_http_ca_bundle_help': (
        'A PEM file with certificates to trust besides the usual ones, such as a company proxy\'s.'
    ),
    'setting_extra_hosts': 'Other trusted hosts',
    'setting_extra_hosts_help': (
        'Host names, separated by commas, that may be fetched from besides Civitai.'
    ),
    'setting_download_images_folder': 'Download folder',
    'setting_download_images_folder_help': 'Where downloads go; empty: your pictures folder.',
    'setting_shortcut_gallery_folder': 'Picture cache folder',
    'setting_shortcut_gallery_folder_help': (
        'Where pictures that were shown are kept: a new or an empty folder, for them alone.'
    ),
    'setting_shortcut_gallery_max_mib': 'Picture cache (MiB)',
    'setting_shortcut_gallery_max_mib_help': (
        'How large the picture cache may get; what was shown least recently goes first. Pictures '
        'that were in a folder before it became the picture cache stay, and do not count.'
    ),
    'setting_gallery_name_template': 'Names of kept pictures',
    'setting_gallery_name_template_help': (
        'The pattern that pictures of whole galleries are called after, such as '
        '{{username}}/{{created:%Y-%m}}/{{id}}; / makes folders.'
    ),
    'setting_gallery_embed_infotext': 'Prompts in kept pictures',
    'setting_gallery_embed_infotext_help': (
        'Downloads get the prompt and settings that Civitai tells into their own files (PNG, JPEG, '
        'WebP), as a WebUI writes and reads them; not one pixel changes.'
    ),
    'setting_gallery_sidecars': 'Files beside kept pictures',
    'setting_gallery_sidecars_help': (
        'json (all that Civitai said), txt (the prompt and settings), caption (the prompt, for '
        'training), several with commas between, or none. Empty: only where a file cannot carry '
        'its prompt.'
    ),
    'setting_gallery_jobs_go_on': 'Go on with interrupted galleries',
    'setting_gallery_jobs_go_on_help': (
        'Whole galleries that were being kept when the program ended go on by themselves when it '
        'starts.'
    ),
    'setting_models_folder': 'Folder of models',
    'setting_models_folder_help': (
        'The models folder of a WebUI or a ComfyUI, which new model files are sorted into as that '
        'program expects; empty: models in the download folder. Inside a WebUI its own counts.'
    ),
    'setting_model_folder_template': 'Sub-folders for models',
    'setting_model_folder_template_help': (
        'A pattern such as {{base_model}}/{{creator}}; also {{model}}, {{version}} and {{kind}}. '
        'Empty: none.'
    ),
    'setting_model_info_file': 'Write .civitai.info files',
    'setting_model_info_file_help': 'What Civitai says of a model, beside its file; tools read it.',
    'setting_model_preview_file': 'Save previews of models',
    'setting_model_preview_file_help': 'A still up to your maturity ceiling, beside the file.',
    'setting_model_json_file': 'Fill in cards of models',
    'setting_model_json_file_help': (
        'Description and activation text for the cards of AUTOMATIC1111 and Forge, in a .json '
        'beside the file. What you wrote there stays.'
    ),
    'setting_gallery_jobs_of_others': 'Others may keep whole galleries',
    'setting_gallery_jobs_of_others_help': (
        'Who opens the gallery from another computer or account may start, pause and cancel the '
        'download of whole galleries, and see saved ones, too; folders and names stay with you.'
    ),
    'job_at_work': 'Job {job} is at work; pause it first.',
    'job_browse': 'Browse',
    'saved_mark': 'Saved gallery, shown from this computer; {count} pictures, kept on {day}.',
    'saved_instead': '{why} Shown instead: {mark}',
    'saved_keeps': (
        'This gallery is shown from this computer, so nothing is downloaded here. '
        'For what is on Civitai, load its link:'
    ),
    'saved_nothing': 'None of the pictures that were kept is there any more.',
    'saved_missing_some': (
        'Moved, changed or deleted since they were kept, or not in the folder of the job: {count}.'
    ),
    'saved_missing': (
        'The file of this picture was moved, changed or deleted since it was kept, or may not be '
        'shown. Retry the job to fetch it again.'
    ),
    'saved_not_from_here': (
        'Saved galleries are shown only on the computer the gallery runs on, to the account that '
        'runs it. Its owner can allow it to others with the setting gallery_jobs_of_others.'
    ),
    'jobs_not_from_here': (
        'Whole galleries can be kept only on the computer the gallery runs on, by the account that '
        'runs it. Its owner can allow it to others with the setting gallery_jobs_of_others.'
    ),
    'job_place_not_from_here': (
        'Folders and names of files can be chosen only on the computer the gallery runs on, by the '
        'account that runs it.'
    ),
    'notice_asked_to_wait': (
        '{host} asks us to wait ({status}). Going on in {seconds} s; what is there stays.'
    ),
    'notice_refuses': (
        '{host} refuses all that is asked for ({status}). If that lasts, it is given up in '
        '{seconds} s; what is there stays.'
    ),
    'notice_slow': '{host} is slow. What does not come in {seconds} s is given up.',
    'notice_archive_rebuilt': (
        'The archive of kept pictures was damaged or gone and was built anew from the folders: '
        '{count} pictures were found. What jobs were doing is lost.'
    ),
    'notice_waiting': '{host} does not answer as it should. Trying again in {seconds} s.',
    'embed_no_kind': 'Files that carry no prompt: {count}.',
    'embed_no_room': 'Prompts too long for their pictures: {count}.',
    'embed_occupied': (
        'Pictures with another comment where the prompt would go, which stays: {count}.'
    ),
    'embed_unsafe': (
        'Pictures that are damaged, signed or unusual, so that nothing was written into them: '
        '{count}.'
    ),
    'annotation_beside': 'Prompts that are in a text file beside their picture instead: {count}.',
    'annotation_nowhere': (
        'Prompts that are not in their picture, nor in a text file beside it: {count}. Add txt to '
        'the files beside pictures (--sidecar) to have these.'
    ),
    'annotation_refused': (
        'Prompts that the disk or the folder refused, in pictures or beside them: {count}. The log '
        'says why.'
    ),
    'annotation_foreign': (
        'Files beside pictures that are not ours, or were changed, and stay as they are: {count}.'
    ),
    'models_unknown': (
        'Models that Civitai could not name: {count}. In the prompts their names and hashes are '
        'missing.'
    ),
    'sidecar_none_alone': 'none means no files beside pictures; leave out the others or none.',
    'sidecar_unknown': 'There are no files {given} beside pictures. Possible: {known}, none.',
    'model_source': (
        "{given} names no model. Give the link of a model or a version, a model's id, an AIR, or "
        'the hash of a file; what a picture was made with, `models missing` tells.'
    ),
    'model_elsewhere': (
        'The version {version} belongs to model {owner}, not to {model}. Give this link instead: '
        '{link}'
    ),
    'model_hash_unknown': (
        'Civitai knows no file with the hash {hash}. Look whether it is whole, or give a link.'
    ),
    'model_without_versions': 'Civitai lists no version of this model. Choose another model.',
    'place_named': '{folder}, the folder that you named',
    'cli_model_goes': '{title}: {name} ({mib} MiB) goes to {where}',
    'cli_model_planned': '{title}: {name} ({mib} MiB) would go to {where}. Nothing was kept.',
    'cli_model_saved': '{title}: saved as {path}, {mib} MiB. {checked}',
    'cli_model_there': (
        '{title}: there already as {path}, {mib} MiB; nothing was fetched. {checked}'
    ),
    'cli_model_verified': 'Its SHA256 is the one that Civitai lists.',
    'cli_model_is_here': 'It is here already: {path}.',
    'cli_model_name_taken': (
        'There is a file called {name} already: it stays, and is compared before anything is '
        'fetched.'
    ),
    'cli_model_stopped': (
        'Stopped. {mib} of {of} MiB are there. `resume {job}` goes on from there, and so does the '
        'same command.'
    ),
    'cli_model_job': '{job}  {state}  {title}  {at}  {mib} of {of} MiB  {path}  {why}',
    'cli_moved_fetching': '{mib} of {of} MiB',
    'cli_moved_looking': 'looked at {done} files',
    'cli_moved_hashing': 'read {done} of {total} files, {mib} of {of} MiB',
    'cli_moved_asking': 'asked Civitai for {done} of {total}',
    'cli_pace': '({rate} MiB/s), {left} left',
    'help_model': (
        'Fetch a model file of Civitai, whole and checked, to the folder where your programs look '
        'for its kind, with what they read beside it. Where it goes is said first; what lies there '
        'is never replaced. The same command, or `resume`, goes on where it was stopped.'
    ),
    'help_model_examples': (
        'Examples:\n\npython civitai_gallery.py model https://civitai.com/models/4201\n\npython '
        'civitai_gallery.py model 4201 --dry-run\n\npython civitai_gallery.py model '
        'urn:air:sdxl:lora:civitai:4317@431703 --to loras\n\npython civitai_gallery.py model 4201 '
        '--file 4201022 --segments 8 --no-companions\n\nOf a model without a version it is the one '
        'that its page shows first. Exit codes: 0 the file is there, 1 failed or incomplete, 2 '
        'wrong usage, 130 Ctrl-C, 143 SIGTERM.'
    ),
    'help_model_source': (
        "Link of a model, a version or a download; a model's id; an AIR; or the hash of a file "
        '(SHA256, AutoV1, AutoV2, AutoV3, CRC32, BLAKE3).'
    ),
    'help_model_file': (
        'This file of the version, by id or name. Default: as the settings model_file_format, '
        'model_file_size and model_file_precision prefer.'
    ),
    'help_model_format_': (
        'Only a file in this format: SafeTensor, PickleTensor, GGUF, Diffusers, Core ML, ONNX or '
        'Other.'
    ),
    'help_model_allow_suspect': (
        "Fetch it although it did not pass Civitai's scans for viruses or code. Only if you trust "
        'its creator.'
    ),
    'help_model_to': (
        'Folder for the file. Default: that of its kind in the WebUI or in the setting '
        'models_folder, else one in the download folder.'
    ),
    'help_model_segments': (
        'So many connections at the same time for a large file, 1 to 16. Default: the setting '
        'model_download_segments.'
    ),
    'help_model_companions': (
        'Write what other tools read beside the file: .civitai.info, .json and a preview. Default: '
        'as the settings say.'
    ),
    'help_model_as_json': (
        'Print one JSON object at the end. While it runs, stderr gets events, one JSON object a '
        'line.'
    ),
    'help_model_quiet': 'Tell problems only.',
    'help_model_verbose': 'Tell of each try.',
    'help_model_dry_run': 'Say which file it is and where it would go. Fetch nothing.',
    'cli_stopped_at': 'It came so far: {far}.',
    'cli_models_stopped': 'Stopped. What was found is kept; the same command goes on from there.',
    'cli_models_none': 'No model files are known here yet. `models scan` looks for them.',
    'cli_models_alone': '`models {word}` takes neither a picture nor --get; `models missing` does',
    'cli_models_twins': 'The same bytes several times, {mib} MiB each: {paths}',
    'cli_models_verified': (
        '{good} as Civitai lists them, {whole} whole with nothing to compare, {other} whole but '
        'not what Civitai lists now, {spoiled} spoiled, {broken} broken, {unreadable} unreadable.'
    ),
    'cli_model_unknown': 'of no known version',
    'cli_model_other': (
        '{path} is whole, but none of the files that Civitai lists of its version now.'
    ),
    'cli_model_spoiled': (
        '{path} has other bytes than before, though nobody wrote to it. Delete it, fetch it '
        'again, and look after the disk.'
    ),
    'cli_model_broken': (
        '{path} cannot be what its name says: its header is broken. Delete it, and fetch it again.'
    ),
    'cli_model_unreadable': '{path} cannot be read.',
    'cli_model_missing': (
        '{path} is there no more, or its disk is not. `models scan` takes it off the list if it '
        'was in a folder that is scanned.'
    ),
    'cli_scan_begins': 'Scanning {folders}. Civitai is told hashes and ids of versions only.',
    'cli_scan_no_folders': (
        'There is no folder of models here yet. The setting models_folder names one.'
    ),
    'cli_scan_unreadable': '{folder} could not be looked into.',
    'cli_scan_unasked': (
        'Civitai was not asked, or not to the end: {cause} Scan again later; what was read is kept.'
    ),
    'cli_scanned': (
        '{files} model files: {fresh} new or changed, {gone} gone, {hashed} read, {newly} '
        'recognised by Civitai now. Of which version they are is known of {known}.'
    ),
    'cli_updates': '{count} of {files} files went on:',
    'cli_updates_old': 'Civitai could not be asked for all, so this may be old: {cause}',
    'cli_updates_unknown': (
        'Of {count} files nobody knows the version. `models scan` asks for them.'
    ),
    'cli_update_gone': 'Civitai has this model no more. Keep the file.',
    'cli_update_withdrawn': 'Civitai has this version no more.',
    'cli_update_changed': 'Civitai lists other files of this version: those or this changed.',
    'cli_update_newer': 'newer: {name} ({base}), of {day}: `model civitai:{model}@{id}`',
    'cli_update_other': (
        'for another base model: {name} ({base}), of {day}: `model civitai:{model}@{id}`'
    ),
    'cli_update_early': 'In early access until {until}.',
    'cli_update_not_offered': 'Not for download.',
    'resource_checkpoint': 'checkpoint',
    'resource_lora': 'lora',
    'resource_embedding': 'embedding',
    'resource_vae': 'vae',
    'resource_upscaler': 'upscaler',
    'resource_other': 'other model',
    'cli_need_here': '{kind} {name}: here, {paths}',
    'cli_need_maybe': '{kind} {name}: perhaps here; a file is called so: {paths}',
    'cli_need_not_here': '{kind} {name}: not here',
    'cli_need_unknown': '{kind} {name}: not known to be here; `models scan` looks',
    'cli_missing_nothing': 'Nothing tells which models this picture was made with.',
    'cli_missing_source': (
        '{given} is neither a picture of Civitai nor a file here. Give the link or id of a '
        'picture, or a picture file.'
    ),
    'cli_missing_no_json': '{name} is no JSON that tells how a picture was made.',
    'help_models': (
        'Tell of the model files here. scan: look for them in the folders of your WebUI, or of the '
        'settings, and ask Civitai by their hashes which ones they are. list: those that were '
        'found, with their galleries. updates: which have newer versions, changed or are gone. '
        'verify: read all of them again. missing: which models a picture needs, and which of them '
        'are not here.'
    ),
    'help_models_examples': (
        'Examples:\n\npython civitai_gallery.py models scan\n\npython civitai_gallery.py models '
        'updates --json\n\npython civitai_gallery.py models missing https://civitai.com/images/123 '
        '--get\n\npython civitai_gallery.py models missing picture.png\n\nOnly hashes and ids are '
        'sent. Exit codes: 0 all is well, 1 something failed, is spoiled or missing, 2 wrong '
        'usage, 130 Ctrl-C, 143 SIGTERM.'
    ),
    'help_models_what': 'What is to be done.',
    'help_models_picture': (
        'For missing: the link or id of a picture, a picture file, or the .json or .txt beside one.'
    ),
    'help_models_get': 'For missing: fetch what is not here, if its version or hash is known.',
    'help_models_as_json': (
        'Print one JSON object at the end. While it runs, stderr gets events, one JSON object a '
        'line.'
    ),
    'help_models_quiet': 'Tell problems only.',
    'models_title': 'Models on this machine',
    'models_is_here': 'have it',
    'models_is_maybe': 'have it? A file is called so',
    'models_is_not_here': 'not here',
    'models_is_unknown': 'unknown',
    'models_unknown_hint': (
        'Whether you have what is marked unknown is not known yet: “Scan” under “Models on this '
        'machine” finds out.'
    ),
    'models_get': 'Get',
    'models_asking': 'Asking Civitai for this model…',
    'models_ask': 'Get {title}?',
    'models_ask_file': 'File',
    'models_ask_kind': 'Type',
    'models_ask_size': 'Size',
    'models_ask_size_unknown': 'not told',
    'models_ask_folder': 'Folder',
    'models_ask_suspect': (
        'This file did not pass Civitai’s scans (viruses: {virus}, pickle: {pickle}). Get it '
        'only if you trust its creator.'
    ),
    'models_ask_unverified': (
        'Civitai lists no SHA256 of this file, so whether it comes right cannot be checked.'
    ),
    'models_ask_taken': (
        'A file of this name is there already. If it is this very file, nothing is fetched; '
        'else the new one gets a number.'
    ),
    'models_take_anyway': 'Get anyway',
    'models_drop': 'Cancel',
    'models_asked_other': 'Another model was asked for meanwhile. Press “Get” again.',
    'models_no_order': (
        'The page asked for something this gallery does not know. Load the page again.'
    ),
    'models_not_from_here': (
        'Models are fetched, scanned and listed only on the computer the gallery runs on, by '
        'the account that runs it.'
    ),
    'models_untold': (
        'This system does not tell which account is asking, so models are fetched and '
        'scanned on the command line only: `model` and `models scan`.'
    ),
    'models_scan': 'Scan',
    'models_stop': 'Stop',
    'models_scan_told': (
        'Scan reads the model files in your model folders, here. Civitai is then asked by '
        'their hashes, and by the ids of the models found, what they are and which went on. '
        'Nothing else leaves this machine: no names, no folders, no files.'
    ),
    'models_looking': 'Looking for model files: {done}',
    'models_hashing': 'Reading model files: {done} of {total}',
    'models_stopped': 'Stopped. What was found is kept; “Scan” goes on from there.',
    'models_scanned': '{files} model files: {fresh} new or changed, {gone} gone, {hashed} read.',
    'models_scanned_none': 'No model file was found.',
    'models_looked_in': 'Looked in:',
    'models_no_folders': 'There is no folder of models here yet.',
    'models_folder_of_setting': '“{name}” in the settings (models_folder) says where to look.',
    'models_folders_of_host': 'The options of your WebUI say which folders it has its models in.',
    'models_unreadable': '{folder} cannot be read, so what lies there is as it was last found.',
    'models_unasked': 'Civitai was not asked to the end: {cause}',
    'models_none': (
        'No model file is known here. “Scan” looks for them in the folders of your WebUI, or of '
        'the setting models_folder.'
    ),
    'models_reading': 'Reading what was found…',
    'models_search': 'Search',
    'models_kind': 'Kind',
    'models_base': 'Base model',
    'models_any': 'any',
    'models_count': '{listed} of {files} model files',
    'models_more': 'More',
    'models_left': '{count} more',
    'models_newer': 'newer: {name}, of {day}',
    'models_other_base': 'for {base}: {name}, of {day}',
    'models_early': '(early access)',
    'models_not_offered': '(not for download)',
    'models_gone': 'no longer on Civitai',
    'models_withdrawn': 'this version is no longer on Civitai',
    'models_changed': 'Civitai lists other files of this version',
    'models_twin': 'the same file several times',
    'models_of_nothing': 'not known to Civitai',
    'home': 'Where to begin',
    'home_favourites': 'Favourite galleries',
    'home_pictures': 'Favourite pictures',
    'home_pictures_show': 'Show them',
    'home_recent': 'Recent',
    'home_drop': 'Take off this list',
    'home_models': 'Models on this machine',
    'home_examples': 'Examples',
    'favourite': 'Favourite',
    'favourite_add': 'Keep among the favourites of this browser',
    'favourite_drop': 'Take from the favourites of this browser',
    'found_title': 'Models for “{words}”',
    'found_name': 'Search: {words}',
    'found_close': 'Close',
    'found_of_before': (
        'Still the models found before: what you asked for last could not be loaded.'
    ),
    'found_more': 'More',
    'found_no_picture': 'No picture to show',
    'found_count': '{count} models. Click one to open its gallery.',
    'found_count_one': '1 model. Click it to open its gallery.',
    'found_none': 'Civitai finds no model by “{words}”.',
    'found_hint': (
        'Try fewer words, or the name as its page writes it: names of models are searched, '
        'mostly in English. A link, an id, a hash or @user opens a gallery at once.'
    ),
    'found_hidden': '{count} above your maturity ceiling ({ceiling}) are not shown.',
    'found_unreadable': '{count} could not be read.',
    'card_open': 'Open its gallery in Civitai Gallery',
    'card_unknown': (
        'Nobody knows yet which model of Civitai “{name}” is. Open “Models on this machine” '
        'below and press Scan.'
    ),
    'card_not_known': 'Civitai does not know “{name}”, so there is no gallery of it.',
    'open_gallery': 'Open its gallery here',
    'model_job_begun': 'Job {job} has begun; it is shown among the jobs.',
    'model_job_far': '{done} of {size} MiB',
    'model_job_verified': 'its SHA256 is right',
    'model_job_retry': 'Try again',
    'model_job_cancel_note': 'Ends it, and takes away what came of the file.',
    'model_job_is_cancelled': (
        'Job {job} is cancelled, and what came of its file is gone; “Resume” fetches it anew.'
    ),
    'models_asking_progress': 'Asking Civitai: {done} of {total}',
}
