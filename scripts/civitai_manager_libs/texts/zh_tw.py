"""The Traditional Chinese texts, in the words of Taiwan: one word for one thing.

save, keep 儲存, stay 保留, download 下載, Get (a model) 取得, retry 重試, cancel 取消, resume 繼續
whole gallery 整個圖庫, job 工作, log 記錄檔, archive 圖片紀錄, picture cache 圖片快取, clear 清除
picture 圖片, original 原圖, small picture 縮圖, video 影片, sound 音訊, level 分級, maturity ceiling 分級上限
favourite 最愛 (收藏 is what Civitai calls collect), id 編號, prompt 提示詞, generation data 生成資訊
base model 基礎模型, sampler 取樣器; checkpoint, LoRA, embedding and VAE stay as WebUIs write them
this computer 這台電腦, folder 資料夾, server 伺服器, load 載入, gone (from Civitai) 已消失
Marks between Chinese characters are full-width; one space stands between Chinese and Latin words.
What is named like on a button stands in 「」, word for word.
"""

TRADITIONAL_CHINESE: dict[str, str] = {
    'error_unknown': '發生錯誤。',
    'error_see_log': '發生未預期的錯誤，詳情請見記錄檔。',
    'error_with_detail': '{sentence}（Civitai 說明：{detail}）',
    'reason_not_found': '找不到檔案或資料夾',
    'reason_no_folder': '應為資料夾之處是一個檔案',
    'reason_is_folder': '應為檔案之處是一個資料夾',
    'reason_exists': '已有同名的項目',
    'reason_name_too_long': '名稱太長',
    'reason_bad_name': '檔案不能使用這樣的名稱',
    'reason_link_circle': '連結互相循環',
    'reason_denied': '沒有權限',
    'reason_read_only': '只能讀取',
    'reason_full': '磁碟已滿',
    'reason_too_many_open': '開啟的檔案過多',
    'reason_in_use': '另一個程式正在使用',
    'reason_broken_disk': '磁碟回報錯誤',
    'error_url_refused': '{host} 不是 Civitai 的主機，因此不會從該處下載。若您信任它，請將它加入設定 extra_hosts。',
    'error_url_malformed': '這不是可用的網址。',
    'error_url_not_https': '{host} 要求以未加密的 http 連線，已拒絕。',
    'error_url_private': '{host} 是私人網路內的位址，已拒絕。',
    'error_connection': '無法連線至 {host}。請檢查網路或代理伺服器後再試一次。',
    'error_proxy': '代理伺服器沒有回應。請檢查設定 http_proxy 或環境變數 HTTPS_PROXY。',
    'error_proxy_login': (
        '代理伺服器要求登入（407）。請在設定 http_proxy 或環境變數 HTTPS_PROXY 填入 '
        'http://名稱:密碼@主機:連接埠。'
    ),
    'error_proxy_refused': '代理伺服器拒絕連往 {host}（{status}）。請稍後再試，或詢問代理伺服器的管理者。',
    'error_proxy_tls': (
        '代理伺服器的加密連線不受信任。若它不使用加密，請將位址的 https:// 改為 http://；'
        '否則請在設定 http_ca_bundle 指定其憑證檔案。'
    ),
    'error_proxy_address': (
        '代理伺服器的位址無法使用。請在設定 http_proxy 或環境變數 HTTPS_PROXY、ALL_PROXY 填入 '
        'http://主機:連接埠 或 socks5h://主機:連接埠。'
    ),
    'error_socks_refused': (
        'SOCKS 代理伺服器無法連往 {host}（{reason}）。請稍後再試，或詢問代理伺服器的管理者。'
    ),
    'error_socks_login': (
        'SOCKS 代理伺服器要求正確的登入資料。請在設定 http_proxy 或環境變數 ALL_PROXY 填入 '
        'socks5h://名稱:密碼@主機:連接埠。'
    ),
    'error_socks': (
        'SOCKS 代理伺服器需要尚未安裝的套件 PySocks。請執行 "{path}" -m pip install PySocks '
        '後重新啟動，或在設定 http_proxy 指定 http 代理伺服器。'
    ),
    'error_redirects': '伺服器不斷重新導向，請稍後再試。',
    'error_timeout': '{host} 回應逾時。請再試一次，或在設定中提高逾時秒數。',
    'error_unknown_host': '找不到主機 {host}。請檢查網路；若位址是自行設定的，請檢查位址。',
    'error_name_service': (
        '名稱服務（DNS）未能及時回覆 {host} 的位址。請檢查網路及其名稱伺服器，再試一次。'
    ),
    'error_not_http': '{host} 傳來的不是網頁伺服器的回應，可能來自代理伺服器或防火牆。請稍後再試。',
    'error_garbled': '無法理解 {host} 的回應，可能被代理伺服器或防火牆更改。請稍後再試。',
    'error_unfitting': '回應與要求不符（{status}），可能被代理伺服器更改。請稍後再試。',
    'error_too_slow': '{host} 傳送太慢，已放棄。請再試一次，或在設定中提高逾時秒數。',
    'error_tls': (
        '{host} 的憑證不受信任。若使用公司代理伺服器，請在設定 http_ca_bundle 指定其憑證檔案。'
    ),
    'error_tls_expired': '{host} 的憑證已過期。請檢查電腦時鐘，或稍後再試。',
    'error_tls_other_host': '{host} 出示的憑證屬於其他主機。請檢查網路或代理伺服器。',
    'error_ca_bundle': (
        '{path} 中沒有可讀取的憑證。請檢查設定 http_ca_bundle 或變數 REQUESTS_CA_BUNDLE。'
    ),
    'error_incomplete': '傳輸中途中斷，請再試一次。',
    'error_no_end': '檔案缺少結尾，請再試一次。',
    'error_empty': '伺服器回應為空，請再試一次。',
    'error_bad_request': 'Civitai 不接受此要求（{status}）。',
    'error_key_needed': (
        'Civitai 要求有效的 API 金鑰（{status}）。請在 Civitai 帳號設定中建立金鑰，並填入「API '
        '金鑰」欄位，或設為環境變數 CIVITAI_TOKEN。'
    ),
    'error_forbidden': 'Civitai 拒絕存取（{status}）：搶先體驗、非公開，或您的位址遭封鎖。',
    'error_challenge': (
        '{host} 要求證明您不是機器人（{status}）。請在瀏覽器中開啟其網頁、稍候片刻，'
        '或改用其他網路，然後再試一次。'
    ),
    'error_page_for_refusal': (
        '{host} 以網頁（{status}）回應，並未說明檔案的狀況；可能來自代理伺服器或網路的登入頁面。'
        '請在瀏覽器中開啟該網址，或改用其他網路。'
    ),
    'error_not_found': 'Civitai 找不到此項目（404）：可能已刪除、未公開，或連結有誤。',
    'error_gone': '此項目已封存，無法再下載（410）。',
    'error_rate_limited': 'Civitai 要求降低速度（429）。請等待幾分鐘後再試。',
    'error_region': 'Civitai 在您的國家或地區無法使用（451）。',
    'error_busy': 'Civitai 忙碌中（{status}）。請一分鐘後再試。',
    'error_wrong_content': '收到的內容與要求不符，請稍後再試。',
    'error_coded': '收到的內容以未要求的方式壓縮（{name}），無法讀取。可能是代理伺服器所致；請稍後再試，或不經代理伺服器。',
    'error_nothing_packed': '收到的壓縮內容幾乎是空的，已放棄，請稍後再試。',
    'error_page_for_data': 'Civitai 傳回網頁而非資料，可能正在維護，請稍後再試。',
    'error_not_json': 'Civitai 傳回無法讀取的資料，請稍後再試。',
    'error_unfolds': 'Civitai 傳來的資料超過 {limit} 個值，或巢狀層數過深，無法讀取，請稍後再試。',
    'error_page_for_file': '收到的是網頁而非檔案。可能需要 API 金鑰，或檔案已不存在。',
    'error_message_for_file': '收到的是錯誤訊息而非檔案，請稍後再試。',
    'error_not_a_picture': '收到的內容既非圖片也非影片。',
    'error_not_audio': 'Civitai 傳回的不是音訊，因此未保留任何檔案，請稍後再試。',
    'error_still_for_video': 'Civitai 傳回的是靜態圖片而非影片，因此未保留任何檔案，請稍後再試。',
    'error_not_a_gallery': 'Civitai 傳回的不是圖庫資料，請稍後再試。',
    'error_ids_ignored': (
        '此 Civitai 無法依編號列出多張圖片，請逐一開啟（civitai.com/images/...）。'
    ),
    'error_not_a_model': 'Civitai 傳回的不是模型資料，請稍後再試。',
    'error_not_models': 'Civitai 傳回的不是模型清單，請稍後再試。',
    'model_archived': '此模型已封存，無法再下載其檔案。',
    'model_taken_down': '此模型已被 Civitai 下架，無法下載其檔案。',
    'model_not_for_download': '此版本的作者已關閉下載，API 金鑰也無法改變。請選擇其他版本。',
    'model_paid': '此版本僅供已在 Civitai 付費的使用者下載。若您已付費，請設定該帳號的 API 金鑰。',
    'model_early_access': (
        '此版本處於搶先體驗，至 {end} 為止。請等到該時間，或在 Civitai 購買並設定該帳號的 API 金鑰。'
    ),
    'model_without_files': 'Civitai 未列出此版本的任何檔案。請選擇其他版本。',
    'model_no_such_file': '此版本沒有這樣的檔案。現有檔案：{known}',
    'model_suspect': (
        '{name} 未通過 Civitai 的掃描（病毒：{virus}，pickle：{pickle}），因此未下載。'
        '請僅在信任作者時下載，並明確表示同意（`model --allow-suspect`）。'
    ),
    'model_no_room': '{folder} 需要 {needed} MiB，但只剩 {free} MiB。請釋出空間，或選擇其他資料夾。',
    'model_page': (
        '收到的是文字或網頁而非 {name}，因此未保留。請檢查 API 金鑰，並在瀏覽器中開啟模型網頁。'
    ),
    'model_page_for_part': (
        '收到的是網頁或訊息而非 {name} 的一部分。先前收到的部分會保留，下次將從該處繼續。'
        '請檢查 API 金鑰，並稍後再試。'
    ),
    'model_header': '{name} 不是完整的 safetensors 檔案：檔頭損壞，因此未保留。請告知作者，或稍後再試。',
    'model_size_differs': '{name} 有 {came} 位元組，Civitai 則標示 {told}，因此未保留。請稍後再試。',
    'model_hash_differs': (
        '{name} 與 Civitai 所列不符：SHA256 為 {came}，應為 {told}。未保留，請稍後再試。'
    ),
    'model_changed': '下載期間，儲存空間上的檔案一再變更。請稍後再試。',
    'model_storage_refused': 'Civitai 的儲存空間拒絕提供檔案（{status}），換用新位址亦然。請稍後再試。',
    'model_busy': '另一個程式正在下載 {name}。請等待其完成，或在該處停止。',
    'model_renamed': '已有其他檔案名為 {wanted}，因此此檔案改名為 {name}；在提示詞中也請使用此名稱。',
    'model_unverified': 'Civitai 未列出 {name} 的 SHA256，因此未能確認內容是否正確。',
    'model_pickle': '{name} 是 pickle 檔案，開啟時可能執行程式碼。若有選擇，請優先使用 safetensors。',
    'download_failed': '未儲存 {name}：{cause}',
    'download_progress': '{name}：{done} / {total} MiB',
    'download_nothing': '請先選擇此版本的檔案；未下載任何內容。',
    'listing_stopped': '未能列出全部內容：{cause}',
    'listing_circle': 'Civitai 的分頁不斷重複，無法取得後續內容。請稍後再試。',
    'listing_cursor': (
        'Civitai 以無法辨識的方式指出後續內容。請稍後再試，或查看 Civitai Gallery 是否有新版本。'
    ),
    'listing_next_page': 'Civitai 表示還有後續內容，但未說明如何取得。請稍後再試。',
    'listing_empty': 'Civitai 連續傳回 {count} 個沒有圖片的回應，後面可能還有。請稍後再試。',
    'listing_foreign': 'Civitai 未依要求篩選而傳回其他圖片，已略過。請稍後再試。',
    'absent_image': 'Civitai 找不到圖片 {name}，或將其隱藏：可能已刪除、未公開，或連結有誤。',
    'absent_images': (
        '{total} 張圖片中有 {count} 張沒有傳回：Civitai 找不到，或在分級上限（{ceiling}）內不顯示。'
    ),
    'absent_post': 'Civitai 找不到貼文 {name}，或將其隱藏：可能已刪除、未公開，或連結有誤。',
    'absent_user': 'Civitai 沒有名為 {name} 的使用者，或將其內容隱藏：可能已離開，或連結有誤。',
    'gone_post': 'Civitai 找不到貼文 {name}：可能已刪除、未公開，或連結有誤。',
    'gone_user': 'Civitai 沒有名為 {name} 的使用者：可能已離開，或連結有誤。',
    'source_version_elsewhere': (
        '版本 {version} 屬於模型 {owner}，而非 {model}。如需其圖片，請貼上連結 {link}。'
    ),
    'error_no_such_user': 'Civitai 沒有名為 {username} 的使用者。',
    'error_too_large': '回應過大（超過 {limit} MB），未保留任何內容。',
    'error_too_many_pixels': '圖片聲稱有 {width} x {height} 像素，任何程式都無法開啟；未保留。',
    'error_no_json': '要傳送的內容無法以 JSON 表示，因此未傳送。',
    'error_storage': '無法寫入 {folder}：{reason}。請選擇其他資料夾。',
    'error_disk_full': '磁碟已滿，沒有遺失任何資料。請為 {folder} 釋出空間後再試。',
    'error_not_writable': '沒有寫入 {folder} 的權限。請在設定中選擇其他資料夾。',
    'error_cache_no_folder': (
        '{folder} 不能作為圖片快取：{name} 是檔案之類的項目，或是失效的連結。請指定新的或空的資料夾。'
    ),
    'error_cache_not_own': (
        '{folder} 中有不屬於圖片快取的檔案，例如 {name}。圖片快取必須是專用資料夾：請指定新的或空的資料夾。'
    ),
    'error_temporary': (
        '無法顯示圖片，因為無法寫入 {folder}：{reason}。請在該處騰出空間，'
        '或以環境變數 GRADIO_TEMP_DIR 指定其他資料夾。'
    ),
    'error_archive_damaged': '{folder} 中的圖片紀錄已損壞或遭移除，剩下的部分已另存，並建立了新的紀錄。請再試一次。',
    'error_archive_newer': '圖片紀錄是由較新版本的程式寫入的。請一併更新此程式。',
    'error_file_changes': '{name} 在讀取時被寫入。請於寫入完成後再次掃描。',
    'error_scan_elsewhere': '模型資料夾已在掃描中，請等待其完成。',
    'error_models_folder': (
        '找不到模型資料夾 {folder}。請確認磁碟已連接，或變更設定 models_folder。'
    ),
    'place_host': '{folder}，WebUI 存放 {kind} 類模型的位置',
    'place_setting': '{folder}，您所選模型資料夾中存放 {kind} 類模型的位置',
    'place_downloads': '{folder}，位於下載資料夾中；可用設定 models_folder 指定其他位置',
    'template_long': '檔名樣式太長：最多 {most} 個字元與 {folders} 層資料夾。',
    'template_empty': '「{template}」使資料夾或名稱空白：每個 / 的前後都要有內容。',
    'template_elsewhere': (
        '「{template}」會離開資料夾。請只寫名稱，資料夾之間用 /；存放位置由資料夾決定'
        '（--to 或設定 download_images_folder）。'
    ),
    'base_model_unknown': 'Civitai 沒有名為「{given}」的基礎模型。最接近的名稱：{near}。',
    'template_braces': '「{template}」中的大括號不成對。欄位寫作 {{id}}。',
    'template_field': '「{field}」不是檔名的欄位。可用的有：{known}',
    'template_form': '「{form}」不是欄位「{field}」的格式。',
    'nothing_but_hidden': '在您的分級上限（{ceiling}）內找不到圖片，有 {hidden} 張因超過上限而隱藏。',
    'nothing_fits': '清單中沒有符合的圖片：已檢視 {count} 張，皆被篩選條件排除。',
    'nothing_fits_or_hidden': (
        '清單中沒有符合的圖片：已檢視 {count} 張，皆被篩選條件排除，另有 {hidden} 張因超過分級上限（{ceiling}）而隱藏。'
    ),
    'places_unknown': 'Civitai 未提供每張圖片在貼文中的位置：部分檔名中的位置以 unknown 代替。',
    'taken_in_turn': 'Civitai 未提供各版本圖片之間以 {sort} 比較的依據，因此從每個版本輪流取得圖片。',
    'left_out_undated': '有 {count} 張圖片未納入，因為清單沒有提供它們的建立時間。',
    'gap_unreadable': '清單中有 {count} 個項目無法讀取。',
    'gap_surplus': '清單中有 {count} 個項目出現在過長的回應中，未納入。',
    'gap_depth': 'Civitai 從兩端各只列出約 50,000 張圖片，無法得知中間還有什麼。',
    'wanted_time': '「{given}」不是時間。請寫成 2025-12-31 或 2025-12-31T18:00。',
    'error_locked': '{folder} 正由另一個沒有結束的程式寫入。請關閉該程式後再試。',
    'error_target_is_folder': '{name} 是資料夾，無法寫入同名檔案。',
    'error_target_is_no_file': (
        '{name} 不是檔案，而是管道、裝置之類，因此無法寫入同名檔案。請移除它或改用其他位置。'
    ),
    'error_cancelled': '已停止。',
    'key_unusable': '這不是有效的 API 金鑰：含有空白或特殊字元。',
    'source_empty': '請先貼上 Civitai 連結：模型、版本、使用者、貼文或圖片頁面，或模型編號。',
    'source_unknown': (
        '無法開啟「{given}」。請貼上 Civitai 的模型、版本、使用者、貼文或圖片連結、模型編號（例如 4201），或'
        ' AIR（urn:air:sdxl:lora:civitai:328553@368189）。'
    ),
    'source_other_site': (
        '「{given}」不屬於 Civitai（{host}）。請貼上 civitai.com、civitai.red 或 c'
        'ivitai.green 的模型、版本、使用者、貼文或圖片連結。'
    ),
    'source_is_key': (
        '這看起來是 API 金鑰，因此沒有送出也沒有儲存。請填入「API 金鑰」欄位，或使用指令 login。'
    ),
    'source_several': '貼上了多個連結或編號，請一次貼上一個。',
    'source_media': '這是圖片檔案的位址，請改貼其頁面的連結（civitai.com/images/...）。',
    'source_model_list': '這是模型清單，不是圖庫；請開啟其中一個模型，改貼其頁面的連結。',
    'source_post_list': (
        'Civitai 不提供所有人的貼文清單給其他程式；請改貼單一貼文、使用者或 civitai.com/images 的連結。'
    ),
    'source_search': 'Civitai 不開放其他程式搜尋圖片；請開啟找到的圖片，改貼其頁面的連結。',
    'source_generator': '生成器的圖片只有您自己能在 Civitai 看到；請先發佈，再改貼該貼文的連結。',
    'source_collection': (
        'Civitai 不提供收藏集的圖片清單給其他程式；請開啟其中一張圖片，改貼其頁面或貼文的連結。'
    ),
    'source_liked': (
        '無法查詢使用者喜歡的圖片，那些也是其他人的作品；請貼上不含此部分的使用者連結，或其中一張圖片的連結。'
    ),
    'source_user_tab': '使用者頁面的「{tab}」不是圖庫；請改貼該使用者，或其圖片、影片或貼文頁面的連結。',
    'source_filter': 'Civitai 無法依 {names} 篩選，會傳回其他圖片；請從連結中移除此部分。',
    'source_value': (
        'Civitai 的 {name} 沒有「{value}」這個值；可用的有 {known}。請修改連結，或移除此部分。'
    ),
    'source_contradiction': '此連結同時要求「{one}」和「{other}」，但只能取其一；請從連結中移除另一個。',
    'source_too_many': '此連結列出 {count} 張圖片，但 Civitai 一次只能查詢 {most} 張；請分次貼上。',
    'source_bad_id': '「{given}」中的編號不是 Civitai 使用的數字（1 到 2147483647）。',
    'version_unknown': '清單中沒有此版本，請從清單中選擇。',
    'picture_unknown': '此圖片已不在頁面上，請選擇其他圖片。',
    'path_refused': '這既不是網址，也不是圖片快取中的圖片，因此已略過。',
    'nothing_to_download': '沒有可下載的圖片，請先開啟圖庫。',
    'model_not_known': '未下載任何圖片：無法從 Civitai 取得此模型的名稱，請稍後再試。',
    'pictures_failed': '{total} 張圖片中有 {failed} 張失敗：{cause}',
    'kept_aside': '有 {count} 個檔案不是完整的圖片，已改名保留，例如 {name}。',
    'download_summary': '已儲存 {saved} 張，{skipped} 張先前已存在。',
    'download_all_saved': '已儲存 {saved} 張。',
    'cancel': '取消',
    'select': '選取',
    'select_all': '全選此頁',
    'select_none': '全部取消選取',
    'select_download': '下載所選（{count}）',
    'select_chosen': '已選取 {count} 張',
    'select_picture': '選取第 {number} 張圖片',
    'keeping_stops': '正在停止…',
    'keeping_of': '{name} 的圖片',
    'keeping_busy': '此分頁已有下載進行中，請等它結束，或將其取消。',
    'download_stopped': '已停止：已儲存 {saved} 張，{skipped} 張先前已存在。',
    'failures_of': '{name} 未儲存的圖片：{count}',
    'again_picture': '重試圖片 {id}',
    'grid_saved': '已儲存',
    'folder_opened': '已開啟 {folder}',
    'folder_not_opened': '無法在此開啟資料夾：{folder}',
    'folder_not_here': '資料夾位於另一台電腦，無法從此瀏覽器開啟。',
    'folder_not_yours': '只有執行圖庫的帳號可以在此開啟資料夾。',
    'progress_loading': '載入圖片',
    'progress_picture': '下載圖片 {done}/{total}',
    'source_label': '連結、編號，或用來搜尋模型的文字',
    'source_placeholder': 'Civitai 連結、編號、@使用者，或搜尋模型的文字',
    'load': '載入',
    'version': '版本',
    'first': '« 第一頁',
    'prev': '‹ 上一頁',
    'next': '下一頁 ›',
    'infotext': '生成資訊（infotext）',
    'infotext_placeholder': '所選圖片的生成方式會顯示於此。',
    'download_page': '下載此頁',
    'download_whole': '整個圖庫…',
    'retry_page': '重試失敗的圖片',
    'failures_title': '失敗的圖片：{count}',
    'failures_more': '…以及另外 {count} 張',
    'failures_show': '顯示更多',
    'failures_again': '全部重試（{count} 張）',
    'whole_told': (
        '儲存「{name}」中所有符合條件的圖片，最高至設定允許的分級 {ceiling}。'
        '工作會在背景進行，可以關閉此頁。'
    ),
    'whole_as_seen': '已沿用上方的篩選條件：{filters}。',
    'whole_versions': '哪些版本',
    'whole_all_versions': '全部 {count} 個版本',
    'whole_one_version': '僅目前顯示的 {version}',
    'whole_any': '不限',
    'whole_limit': '最多',
    'whole_limit_hint': '所有圖片',
    'whole_level': '最高分級',
    'whole_type': '類型',
    'whole_since': '自',
    'whole_since_hint': '如 2025-01-31',
    'whole_until': '早於',
    'whole_until_hint': '如 2025-12-31',
    'whole_sort': '排序',
    'whole_period': '期間',
    'whole_base_model': '基礎模型',
    'whole_base_model_hint': '例如 SDXL 1.0, Pony',
    'whole_tag': '標籤',
    'whole_tag_hint': '例如 cat, 304',
    'whole_with_prompt': '僅限有提示詞的圖片',
    'whole_name': '檔名',
    'whole_sidecar': '圖片旁的檔案',
    'whole_setting': '{name}：{value}',
    'whole_start': '開始',
    'whole_close': '關閉',
    'whole_waits': '正在開始…',
    'whole_begun': '工作 {job} 已開始，進度顯示於下方。',
    'whole_bad_limit': '「{given}」不是圖片數量。請輸入大於 0 的數字，或留空以儲存全部。',
    'whole_bad_level': (
        '{given} 高於設定允許的分級（{ceiling}）。請選擇較低的分級，或在設定中提高分級上限。'
    ),
    'whole_bad_choice': '{field}：沒有「{given}」這個選項，請從清單中選擇。',
    'whole_bad_words': '{field}：最多 {most} 個，以逗號分隔，且每個不超過一行。',
    'whole_no_time_between': '「自」不在「早於」之前，不會有任何圖片符合。請更改其中之一。',
    'jobs_title': '整個圖庫與模型',
    'jobs_none': '尚未要求下載任何圖庫。',
    'jobs_earlier': '較早的工作（{count}）',
    'jobs_more': '未顯示的較舊工作：{count}。',
    'job_number': '工作 {job}',
    'job_unknown': '這個工作已不存在。',
    'job_waiting': '等待中',
    'job_running': '進行中',
    'job_elsewhere': '由另一個程式進行中',
    'job_paused': '已暫停',
    'job_interrupted': '已中斷',
    'job_stopped': '已停止',
    'job_failed': '失敗',
    'job_cancelled': '已取消',
    'job_complete': '完整',
    'job_incomplete': '不完整',
    'job_empty': '找不到圖片',
    'job_lost': '全部消失',
    'job_pause': '暫停',
    'job_resume': '繼續',
    'job_cancel': '取消',
    'job_retry': '重試失敗項目',
    'job_forget': '從清單移除',
    'job_all_gone': '沒有儲存任何圖片。已從 Civitai 消失：{count} 張，共 {count} 張。',
    'job_gone': '{count} 張已從 Civitai 消失',
    'begun_saved': '已儲存 {count} 張',
    'begun_already': '{count} 張已存在',
    'begun_failed': '{count} 張失敗',
    'begun_gone': '{count} 張已從 Civitai 消失',
    'job_kept': '已儲存 {kept}/{found} 張圖片',
    'job_why_ahead': '前面的工作：{count}',
    'job_why_failed': '{count} 張失敗',
    'job_why_unlisted': '無法列出全部內容',
    'job_since': '自 {when} 起',
    'job_cancel_note': '就此結束，檔案會保留。',
    'job_forget_note': '僅從此清單移除，檔案會留在原處。',
    'job_goes_on': '工作 {job} 繼續進行，進度顯示於下方。',
    'job_goes_anew': '工作 {job} 會重新尋找新圖片，已有的不會再次下載。',
    'job_goes_ahead': '工作 {job} 已在進行中，進度顯示於下方。',
    'job_waits': '工作 {job} 正在等待其他工作（目前 {count} 個），之後會自動開始，進度顯示於下方。',
    'job_tries_again': '工作 {job} 會重試缺少的部分。',
    'job_is_paused': '工作 {job} 已暫停，重新啟動後仍維持；按「繼續」即可接著進行。',
    'job_is_cancelled': '工作 {job} 已取消。檔案會保留；按「繼續」即可接著進行。',
    'job_is_forgotten': '工作 {job} 已從清單移除，檔案會留在原處。',
    'job_far': '{done}/{found} 張圖片',
    'job_far_so_far': '{done}/{found} 張圖片（目前找到）',
    'job_looking': '正在查看有哪些圖片…',
    'job_rate': '每秒 {mib} MiB',
    'job_rate_slow': '每秒 {kib} KiB',
    'job_size': '共 {mib} MiB',
    'job_left_seconds': '約剩 {seconds} 秒',
    'job_left_minutes': '約剩 {minutes} 分鐘',
    'job_count_found': '找到',
    'job_count_saved': '已儲存',
    'job_count_already': '已存在',
    'job_count_failed': '失敗',
    'job_count_gone': '已消失',
    'job_failed_so': '{failed} 張失敗：{cause}',
    'job_failed_mostly': '{failed} 張失敗，其中 {count} 張：{cause}',
    'job_failed_some': '「重試失敗項目」會再次嘗試失敗的圖片與無法列出的部分。',
    'job_hidden': '因高於分級 {ceiling} 而略過：{count}。',
    'job_about': '詳細資訊',
    'job_folder': '資料夾',
    'job_source': '連結',
    'job_asked': '要求內容',
    'job_asked_all': '全部',
    'open_folder': '開啟資料夾',
    'resources': '使用的資源',
    'open_on_civitai': '在 Civitai 開啟',
    'no_infotext': '上傳者未分享生成方式。',
    'infotext_unknown': 'Civitai 未提供生成方式。',
    'workflow_only': '只有 ComfyUI 工作流程，沒有其他資料：請儲存後在 ComfyUI 中開啟。',
    'workflow': '儲存 ComfyUI 工作流程',
    'picture_none': '請在圖庫中選擇一張圖片：圖片與其生成方式會顯示於此。',
    'prompt': '提示詞',
    'negative_prompt': '負面提示詞',
    'generation_settings': '設定',
    'workflow_title': 'ComfyUI 工作流程',
    'copy': '複製',
    'copied': '已複製',
    'copy_failed': '無法複製：請選取文字後按 Ctrl+C。',
    'lightbox_open': '放大顯示',
    'lightbox': '放大的所選圖片',
    'lightbox_close': '關閉（Esc）',
    'lightbox_previous': '上一張圖片（←）',
    'lightbox_next': '下一張圖片（→）',
    'lightbox_full': '原始大小',
    'lightbox_full_loads': '正在取得原圖…',
    'lightbox_failed': '無法取得大圖，因此顯示小圖。{cause}',
    'lightbox_turns': '正在翻頁…',
    'lightbox_end': '沒有更多圖片了。',
    'lightbox_waits': '正在查詢生成方式…',
    'lightbox_copy_all': '複製完整生成資訊',
    'picture_keep': '下載',
    'picture_told': '已顯示：{picture}',
    'mark_favourite': '最愛',
    'favourites': '最愛',
    'favourites_none': '還沒有最愛的圖片，或在此分級內沒有。請選擇圖片後按「★ 最愛」。',
    'mark_hidden': '隱藏',
    'marked_hidden': '已隱藏',
    'marks_not_from_here': '只有在圖庫所在電腦上的擁有者可以標記圖片。',
    'hidden_by_you': '您隱藏了 {count} 張。',
    'hidden_shown': '正在顯示您隱藏的 {count} 張。',
    'hide_again': '再次隱藏',
    'keys': '按鍵',
    'keys_close': '關閉',
    'key_arrows': '在圖片之間移動',
    'key_enter': '選擇圖片；再按一次則放大顯示',
    'key_large': '放大顯示圖片，再按則返回',
    'key_pages': '下一頁與上一頁',
    'key_keep': '下載所選圖片，未選擇時下載此頁',
    'key_favourite': '將所選圖片標為最愛（限擁有者）',
    'key_nearer': '放大時：拉近、拉遠、還原',
    'key_original': '放大時：原始大小',
    'key_escape': '關閉頁面上層的視窗；離開輸入框',
    'key_source': '移至連結與關鍵字的輸入框',
    'key_list': '這份清單',
    'title_model': '模型 {number}',
    'title_version': '版本 {number}',
    'title_post': '貼文 {number}',
    'title_image': '圖片 {number}',
    'title_user': '使用者 {number}',
    'title_images': 'Civitai 上的圖片',
    'title_videos': 'Civitai 上的影片',
    'page_number': '第 {number} 頁',
    'page_number_last': '第 {number} 頁（最後一頁）',
    'grid': '圖片',
    'grid_picture': '第 {number} 張圖片，共 {total} 張',
    'grid_picture_alone': '第 {number} 張圖片',
    'grid_damaged': '無法顯示這張圖片：檔案已損壞或不存在。',
    'grid_again': '重試',
    'grid_video': '影片',
    'grid_sound': '音訊',
    'grid_level': '分級 {level}',
    'grid_prompt': '附提示詞與設定',
    'saved_no_still': '無法在這台電腦上為此檔案產生縮圖。',
    'filters': '要看的內容',
    'filters_fold': '篩選',
    'filter_level': '分級',
    'filter_level_why': '在設定中提高「{name}」後，才會提供更高的分級。',
    'filter_sort': '排序',
    'filter_period': '期間',
    'filter_type': '類型',
    'filter_base_models': '基礎模型',
    'filter_with_prompt': '僅限有提示詞',
    'filter_any': '不限',
    'filter_up_to': '至 {level}',
    'filter_sort_any': '預設排序',
    'filter_sort_usual': '{sort}（預設）',
    'filter_sort_most_reactions': '最多回應',
    'filter_sort_most_comments': '最多留言',
    'filter_sort_most_collected': '最多收藏',
    'filter_sort_newest': '最新',
    'filter_sort_oldest': '最舊',
    'filter_period_any': '所有時間',
    'filter_period_year': '一年內',
    'filter_period_month': '一個月內',
    'filter_period_week': '一週內',
    'filter_period_day': '一天內',
    'filter_type_any': '全部',
    'filter_type_image': '圖片',
    'filter_type_video': '影片',
    'filter_type_audio': '音訊',
    'version_all': '全部 {count} 個版本',
    'left_nothing': '此頁沒有剩下任何圖片。',
    'left_nothing_here': '這裡沒有圖片。',
    'left_nothing_such': '這裡沒有符合這些篩選條件的內容：',
    'left_tag': '標籤 {tag}',
    'left_out': '{total} 張中隱藏了 {count} 張：{by}',
    'left_show': '顯示',
    'left_show_all': '全部顯示',
    'left_by_ceiling': '設定「分級上限」不允許更多。',
    'hidden_with_prompt': '因沒有提示詞而隱藏：{count}。',
    'hidden_type': '因類型不同而隱藏：{count}。',
    'hidden_base_models': '因基礎模型不同而隱藏：{count}。',
    'status_nothing_such': '這裡沒有符合這些篩選條件的內容。請移除一個條件，或改用其他連結。',
    'origin_live': '即時取自 {host}。',
    'origin_kept': '取自這台電腦上儲存的檔案。',
    'origin_offline': '無法連線到 Civitai：取自這台電腦上儲存的檔案。',
    'all_versions_by_date': 'Civitai 只會依日期列出模型的所有版本。',
    'address_no_words': '這個網址要求搜尋，但其中沒有可供搜尋的文字。請在上方輸入要找的內容。',
    'page_not_there': '這個網址已無法到達圖庫的該頁：以下是第一頁。',
    'load_cancel': '取消',
    'wait_try': '（第 {attempt} 次，最多 {tries} 次）',
    'wait_try_until': '（第 {attempt} 次；{left} 秒後不再重試）',
    'more': '載入更多 ›',
    'status_start': '請在上方貼上 Civitai 連結，或輸入文字搜尋模型，再按「載入」；也可以從以下項目開始。',
    'status_loading': '正在載入圖庫…',
    'status_pictures': '正在載入圖片…',
    'of_before': '仍顯示先前的圖庫：您最後要求的內容無法載入。',
    'of_before_keeps': '這些按鈕會下載仍顯示中的「{name}」。',
    'status_ready': '共 {count} 張圖片。',
    'status_ready_one': '共 1 張圖片。',
    'status_nothing': '在您的分級上限（{ceiling}）內，這裡沒有圖片。請嘗試其他版本或連結。',
    'status_nothing_of_version': (
        '在您的分級上限（{ceiling}）內，版本 {version} 沒有圖片。請嘗試其他版本或連結。'
    ),
    'hidden': '此頁有 {count} 張圖片超過您的分級上限（{ceiling}），已隱藏。',
    'foreign': '有 {count} 張圖片不符合要求，已略過。',
    'unreadable': '有 {count} 張圖片的資料無法讀取，已略過。',
    'model_gone': 'Civitai 已找不到此模型，但仍列出以它製作的圖片。',
    'surplus': 'Civitai 傳來的圖片比要求的多，已略過 {count} 張。',
    'packages_missing': 'Civitai Gallery 需要此 WebUI 缺少或版本過舊的套件。請執行此指令後重新啟動 WebUI：{command}',
    'send_waits': '正在取得原圖…',
    'sent_to': '已傳送至 {target}。',
    'sent_lacks_checkpoint': '沒有此 checkpoint：{names}。',
    'sent_lacks_lora': '{total} 個 LoRA 中有 {count} 個沒有：{names}。',
    'sent_lacks_embedding': '{total} 個 embedding 中有 {count} 個沒有：{names}。',
    'sent_lacks_vae': '沒有此 VAE：{names}。',
    'sent_unknown': '尚不清楚是否已有全部模型；按「掃描」即可得知。',
    'send_txt2img': '傳送至 txt2img',
    'send_img2img': '傳送至 img2img',
    'send_inpaint': '傳送至 inpaint',
    'send_extras': '傳送至 extras',
    'send_control': '傳送至 control',
    'key_title': 'API 金鑰',
    'key_help': '取自 Civitai 的帳號設定，儲存後不再顯示。',
    'key_show': '輸入金鑰',
    'key_save': '儲存金鑰',
    'key_remove': '移除金鑰',
    'key_empty': '欄位是空的，因此沒有任何變更。',
    'key_none': '未設定 API 金鑰。多數圖庫不需要金鑰。',
    'key_set': '已設定 API 金鑰：{masked}',
    'key_saved': '已儲存 API 金鑰：{masked}。',
    'key_removed': '已移除 API 金鑰。',
    'key_not_from_here': (
        'API 金鑰只能在執行圖庫的電腦上，由執行圖庫的帳號變更，也可在該處設定環境變數 CIVITAI_TOKEN。'
    ),
    'name_not_answered': (
        'Civitai Gallery 不回應此主機名稱。若此名稱屬於您，請以 --allow-host 加上該名稱啟動圖庫。'
    ),
    'other_site': '此要求來自其他網站的頁面，因此遭到拒絕。請直接開啟 Civitai Gallery 再試一次。',
    'no_uploads': 'Civitai Gallery 不接收檔案。',
    'not_your_gallery': (
        '此圖庫屬於這台電腦的另一個帳號，只有該帳號能使用。請自行啟動一個，它會自動使用另一個連接埠。'
    ),
    'owner_untold': '此系統無法得知是哪個帳號提出要求；若圖庫屬於您，請手動編輯檔案 {path}，然後重新啟動。',
    'key_refused': 'Civitai 不認得此金鑰（401），因此未儲存。請從帳號設定重新複製。',
    'host_unusable': '這台電腦沒有位址 {host} 可供監聽，請以 --host 指定其他位址。',
    'key_works': 'Civitai 識別為 {username}。',
    'key_from_environment': 'API 金鑰來自環境變數 CIVITAI_TOKEN，無法在此變更。',
    'settings_title': '設定',
    'settings_of_webui': '其他設定在 WebUI 的「Settings」頁面，「Civitai Gallery」之下。',
    'settings_save': '儲存設定',
    'settings_more': '更多：速度、網路、檔名、模型',
    'settings_saved': '已儲存：{names}。',
    'settings_same': '其他設定沒有變更。',
    'settings_later_gallery_columns': '欄數從下一頁圖片起生效。',
    'settings_later_language': '語言在重新開啟頁面後生效。',
    'setting_help_range': '{help}（{minimum} 到 {maximum}）',
    'setting_range': '{name}（{minimum} 到 {maximum}）',
    'setting_choices': '{name}（可選 {choices}）',
    'settings_refused': '未儲存，因為無法使用：{names}。',
    'settings_not_from_here': '設定只能在執行圖庫的電腦上，由執行它的帳號變更。',
    'cache_title': '圖片快取',
    'cache_size': '目前 {size} MiB，上限 {limit} MiB。',
    'cache_clear': '清除圖片快取',
    'cache_cleared': '已清除，剩下 {size} MiB：正在顯示的圖片會保留。',
    'cache_not_from_here': '只能在執行圖庫的電腦上清除圖片快取。',
    'running_at': 'Civitai Gallery 正在 {url} 執行（按 Ctrl-C 結束）',
    'argument_not_text': '{name} 之後的內容不是可讀的文字，請以 UTF-8 重新輸入。',
    'port_unusable': '{port} 不是連接埠。請以 --port 指定 1 到 {last}，或以 0 表示任意連接埠。',
    'allow_host_unusable': '「{name}」不是主機名稱。請以 --allow-host 指定例如 gallery.example 的名稱。',
    'no_free_port': '從 {port} 起沒有可用的連接埠，請以 --port 指定其他連接埠。',
    'cli_page_done': '已儲存 {saved}，已存在 {skipped}，失敗 {failed}，位於 {folder}。完整。',
    'cli_complete': '{told}，位於 {folder}。完整。',
    'cli_incomplete': '{told}，位於 {folder}。不完整。',
    'cli_listed': '找到 {found} 張：將儲存 {new} 張，{already} 張已存在於 {folder}。沒有儲存任何檔案。',
    'cli_endings': '副檔名依位址所示；檔案下載後才會查看內容，屆時才能確定副檔名。',
    'cli_more_paths': '…還有 {count} 個（以 --verbose 或 --json 顯示全部）',
    'cli_gone': (
        '已從 Civitai 消失或無法取得，因此未儲存：{count} 張，例如 {ids}。'
        '執行 `retry {job} --gone` 會再次查詢這些圖片。'
    ),
    'cli_nothing_failed': '工作 {job} 沒有失敗的項目，因此沒有需要重試的。',
    'cli_saved_before': '本次儲存 {count}，先前已儲存 {before}',
    'same_bytes': '與其他編號的圖片內容完全相同：{count} 張，例如 {ids}。',
    'cli_so_far': (
        '在 {pages} 頁中找到 {found} 張，已儲存 {saved}，已存在 {already}，失敗 {failed}，已消失 {gone}，{mib} MiB'
    ),
    'cli_bar': '{done}/{found}，{pages} 頁，失敗 {failed}，{mib} MiB（{rate} MiB/s），剩餘 {left}',
    'cli_job': '{job}  {state}  {title}  {at}  {counts}  {folder}  最高至 {level} {asked}',
    'cli_and': '{one}，{other}',
    'cli_count_found': '找到 {count}',
    'cli_count_saved': '已儲存 {count}',
    'cli_count_already': '已存在 {count}',
    'cli_count_failed': '失敗 {count}',
    'cli_count_gone': '已從 Civitai 消失 {count}',
    'cli_count_gaps': '清單缺口 {count}',
    'cli_count_left': '尚待下載 {count}',
    'cli_not_complete': '不完整：{why}',
    'cli_not_all_listed': '清單不完整',
    'cli_no_jobs': '還沒有工作。每次下載都是一個工作。',
    'cli_nothing_to_resume': '沒有等待繼續的工作。',
    'cli_not_resumed': (
        '工作 {job} 已失敗，因此不再嘗試：{why}執行 `resume {job}` 仍可再試一次，'
        '`jobs drop {job}` 則將它從清單移除。'
    ),
    'cli_drop_which': '要移除哪個工作？例如 `jobs drop 3`',
    'cli_job_dropped': '工作 {job} 已從清單移除。其檔案保留在 {folder}',
    'cli_model_job_dropped': (
        '工作 {job} 已從清單移除。完整的檔案會保留在 {folder}；不完整的檔案所下載的部分會被移除。'
    ),
    'cli_no_such_job': '沒有工作 {job}。指令 jobs 會列出現有的工作。',
    'cli_job_held': '另一個程式正在處理工作 {job}，因此交給該程式。',
    'cli_no_folder': '資料夾或檔案的名稱是空的',
    'cli_no_count': '{given} 不是大於 0 的數字',
    'cli_too_many': '同時最多 {most} 個',
    'cli_no_choice': '{given} 不是下列之一：{known}',
    'cli_empty': '這是空的',
    'cli_unreadable': '無法讀取 {name}：{reason}',
    'cli_no_text': '{name} 不是 UTF-8 或帶有標記的 UTF-16 文字；請以 UTF-8 儲存',
    'cli_no_source': '請指定 SOURCE：Civitai 連結、模型編號或 AIR；- 從標準輸入讀取，--from FILE 從檔案讀取。',
    'cli_no_time_between': '--since 不早於 --until，因此不會有任何圖片',
    'parquet_needs_pyarrow': (
        'Parquet 需要 pyarrow，這裡尚未安裝。安裝指令：{python} -m pip install pyarrow'
    ),
    'table_unreadable': '{name} 不是完整的 Parquet 表格，只匯入了可讀取的部分。',
    'table_no_parquet': (
        '{name} 不是 Parquet 表格。只能匯入 Parquet：img2dataset 寫在其資料夾旁的表格，例如 00000.parquet。'
    ),
    'table_foreign': (
        '{name} 不是含有 Civitai 編號的 img2dataset 表格：缺少 {columns}。請讓它保留編號：'
        '--save_additional_columns \'["id"]\'。'
    ),
    'cli_export_no_source': '{source} 既不是 Civitai 連結或模型編號，也不是存在的資料夾。',
    'cli_export_folder_order': '資料夾不能搭配 --sort、--period 或 --tag；這些只適用於 Civitai 的清單',
    'cli_export_terminal': 'Parquet 不適合輸出到終端機；請以 --output FILE 指定檔案，或使用管線',
    'cli_export_no_format': (
        '.{ending} 不是表格的格式，可用的有：{known}。請改用這些副檔名，或以 --format 指定格式'
    ),
    'cli_export_other_format': '--format {form} 與副檔名 .{ending} 不符',
    'cli_export_no_folder': '表格要寫入的資料夾 {folder} 不存在',
    'cli_export_folder_unknown': (
        '{folder} 裡沒有本程式儲存的內容。請以 `download LINK --to {folder}` 將圖庫儲存到那裡'
        '（已在其中的不會重新下載），或改為提供連結。'
    ),
    'cli_export_missing': '因已移動、變更或刪除而略過：{count} 個檔案。`verify` 會列出是哪些。',
    'cli_export_unlisted': (
        '有 {count} 張圖片，這裡不知道 Civitai 的說明，因此該列沒有位址；下載其圖庫（`download`）即可得知。'
    ),
    'cli_export_refused': (
        '有 {count} 張圖片的位址不屬於已知的 Civitai 主機，因此該列沒有位址。若信任該主機，請加入設定 extra_hosts。'
    ),
    'table_pipe_closed': '讀取表格的程式已停止讀取，其餘未寫出。',
    'cli_exported': '{rows} 張圖片，寫入 {output}。',
    'cli_export_nothing': '找不到符合的圖片，因此沒有寫入 {output}。',
    'cli_exported_to_pipe': '{rows} 張圖片。',
    'cli_export_stopped': '已停止。{output} 沒有寫入任何內容。',
    'cli_export_cut_off': '在 {rows} 張圖片後停止；表格不完整。',
    'cli_import_no_tables': '{name} 不是 img2dataset 的表格，也不是含有這種表格的資料夾',
    'cli_imported': (
        '匯入 {kept} 張，已知 {already} 張，當時失敗 {failed} 張，遺失 {missing} 張，在 tar 檔中 '
        '{packed} 張，拒絕 {refused} 張。'
    ),
    'cli_import_stopped': '已停止。已匯入 {kept} 張；執行同一指令即可繼續。',
    'cli_import_cause': '當時失敗：{count}，{cause}',
    'cli_import_missing': (
        '表格說已儲存，但檔案不在旁邊：{count}。每個表格會查看與自己同名的資料夾。'
    ),
    'cli_import_packed': (
        '在 tar 檔中：{count}。請將每個檔案解開到同名資料夾（mkdir 00000; tar -xf 00000.tar -C '
        '00000），再匯入表格一次。'
    ),
    'cli_import_way_on': '缺少的可用 `download` 下載同一圖庫取得，已匯入的會直接使用。',
    'import_unknown': (
        '拒絕，因為這裡的圖片紀錄不認識該圖片：{count}。請先在這裡 `export` 該圖庫一次，即可認識其中的圖片。'
    ),
    'import_other_address': '拒絕，因為位址不屬於該圖片：{count}。',
    'import_elsewhere': '拒絕，因為所指的不是自己分片中的檔案：{count}。',
    'import_of_another': '拒絕，因為該檔案是另一張圖片：{count}。',
    'import_no_hash': (
        '拒絕，因為表格沒有收到內容的 SHA-256：{count}。img2dataset 加上 --compute_hash sha256 即會寫入。'
    ),
    'import_no_picture': '拒絕，因為檔案不是完整的圖片：{count}。',
    'import_not_as_it_came': (
        '拒絕，因為檔案並非原樣，而是縮小、重新編碼或變更過：{count}。請以 --resize_mode no '
        '--disable_all_reencoding True 執行 img2dataset。'
    ),
    'cli_not_a_folder': '{folder} 不是資料夾',
    'cli_verified': '{folder}：完好 {good}，遺失 {missing}，已變更 {changed}，損壞 {broken}。',
    'cli_only_opened': '完好的圖片中有 {count} 張不在圖片紀錄中：只確認能開啟，沒有資料可比對。',
    'cli_repaired': '已修復 {count} 張。修復前：{was}。',
    'cli_count_missing': '遺失 {count}',
    'cli_count_changed': '已變更 {count}',
    'cli_count_broken': '損壞 {count}',
    'cli_file_missing': '{file} 遺失。',
    'cli_file_changed': '{file} 與當初儲存的不同。',
    'cli_file_broken': '{file} 不是完整的圖片。',
    'cli_file_repaired': '{file} 已重新下載。',
    'repair_unknown': '不知道這是哪一張圖片，因此無法重新下載。',
    'cli_ask_key': 'API 金鑰（不會顯示）：',
    'cli_no_key': '沒有輸入 API 金鑰',
    'cli_key_kept': '已儲存在 {file}，只有您能讀取。',
    'cli_no_setting': '沒有設定 {name}；現有設定：{known}',
    'cli_setting_fixed': '{name} 由環境變數 {variable} 決定',
    'cli_setting_wrong': '{name}：{why}',
    'cli_setting_bad': '這不能作為 {name}；可以是：{may}',
    'help_usage': '用法：{usage}',
    'help_help': '顯示此說明。',
    'help_panel_given': '指定的對象',
    'help_panel_which': '要哪些圖片',
    'help_panel_where': '來源與目的地',
    'help_panel_how': '如何進行與回報',
    'help_download': (
        '儲存 Civitai '
        '的整個圖庫：模型（含所有版本）、版本、使用者、貼文或搜尋的每一張圖片及其生成資料。已存在的不會重新下載；再次執行相同指令會從停下的地方繼續；最後會說明缺少什麼。'
    ),
    'help_download_examples': (
        '範例：\n\npython civitai_gallery.py download https://civitai.com/models/4201\n\npython '
        'civitai_gallery.py download 4201 --limit 100 --sort newest --to pictures\n\npython '
        'civitai_gallery.py download https://civitai.com/user/somebody \\\n'
        '--since 2025-01-01 --type image --with-prompt\n\n'
        'python civitai_gallery.py download --from links.txt --json \\\n'
        "--name '{{username}}/{{created:%Y-%m}}/{{id}}'\n\npython civitai_gallery.py "
        'download 4201 --dry-run\n\n結束代碼：0 完整，1 失敗或不完整，2 用法錯誤，130 Ctrl-C，143 SIGTERM。'
    ),
    'help_download_sources': '模型、版本、使用者、貼文、圖片或搜尋的連結；模型編號；AIR。單獨的 - 從標準輸入讀取，每行一個。',
    'help_download_to': '圖片的資料夾。預設：每個來源在下載資料夾中有自己的資料夾。',
    'help_download_from_': '來源清單檔案，每行一個；以 # 開頭的行會略過。',
    'help_download_name': (
        '檔案名稱；/ 會建立資料夾。欄位：{{id}} {{uuid}} {{username}} {{post_id}} {{position}} '
        '{{created:%Y-%m-%d}} {{model}} {{version}} {{base_model}} {{seed}} {{index}} '
        '{{level}}。{{position}} 僅在貼文連結時可知；未知的值寫作 unknown。預設：{{id}}'
    ),
    'help_download_limit': '每個來源最多幾張圖片。預設：全部。',
    'help_download_since': (
        '在此時間或之後建立，ISO 8601（2025-12-31 或 2025-12-31T18:00+01:00），沒有時區時為 UTC。以 createdAt '
        '為準；Civitai 由搜尋引擎回答時，那是排序用的時間。'
    ),
    'help_download_until': '在此時間之前建立。',
    'help_download_level': '本次執行要求的最高分級：PG、PG-13、R、X 或 XXX。預設：設定 gallery_maturity_ceiling。',
    'help_download_type_': '只要此類型：image、video 或 audio。預設：全部。',
    'help_download_with_prompt': '只要有提示詞的圖片。',
    'help_download_base_model': "只要以此基礎模型製作的圖片，例如 'SDXL 1.0'。可重複指定。",
    'help_download_sort': (
        'Most Reactions、Most Comments、Most Collected、Newest 或 Oldest。預設：連結所指定的，否則 Newest；使用 '
        '--limit 且不是模型時，為網站平常的順序。'
    ),
    'help_download_period': '只要最近的 Day、Week、Month 或 Year。預設：AllTime。',
    'help_download_tag': '只要有此標籤的圖片。編號會向 Civitai 查詢；名稱則在這裡與每張圖片的標籤比對。可重複指定，符合其一即可。',
    'help_download_concurrency': '同時下載數，1 到 64。預設：設定 gallery_max_concurrent_downloads。',
    'help_download_as_json': '最後輸出一個 JSON 物件。執行期間 stderr 會得到事件，每行一個 JSON 物件。',
    'help_download_embed': ('是否將提示詞與設定寫入圖片。預設：依設定 gallery_embed_infotext。'),
    'help_download_sidecar': (
        '每張圖片旁的檔案：json（Civitai 提供的全部資料）、txt（提示詞與設定）、caption（供訓練用的提示詞），'
        '可用逗號並列，或 none。預設：依設定 gallery_sidecars。'
    ),
    'help_download_refresh_sidecars': '重新寫入圖片旁已存在且未被修改的檔案。',
    'help_download_quiet': '只說明問題。',
    'help_download_verbose': (
        '在 stderr 說明每次嘗試與等待；與 --dry-run 併用時，在終端機也列出所有檔名。'
    ),
    'help_download_dry_run': '只列出與計數，說明將儲存什麼；不儲存任何檔案。',
    'help_jobs': '列出工作：整個圖庫與模型，以及各自的進度。程式遭終止的工作會顯示為 interrupted。加上 drop 則將工作從清單移除；完整的檔案會保留。',
    'help_jobs_examples': (
        '範例：\n\npython civitai_gallery.py jobs\n\npython civitai_gallery.py jobs drop 3 4'
    ),
    'help_jobs_what': '將指定的工作從清單移除。',
    'help_jobs_numbers': '工作的編號，如清單所列。',
    'help_jobs_as_json': '以 JSON 清單輸出。',
    'help_resume': '繼續一個工作，或所有已停止或中斷的工作。',
    'help_resume_examples': (
        '範例：\n\npython civitai_gallery.py resume\n\npython civitai_gallery.py resume 7 --json'
    ),
    'help_resume_refresh_sidecars': '重新寫入圖片旁已存在且未被修改的檔案。',
    'help_resume_job': '工作的編號。預設：所有尚未結束的工作，但不含確定失敗的工作。',
    'help_retry': '重做工作中失敗的部分：沒有取得的圖片，以及清單中缺少的頁面。已存在的不會變動。',
    'help_retry_examples': (
        '範例：\n\npython civitai_gallery.py retry 7\n\npython civitai_gallery.py retry 7 --gone'
    ),
    'help_retry_gone': '也再次查詢 Civitai 曾表示已不存在的圖片；有些會再出現。',
    'help_retry_refresh_sidecars': '重新寫入圖片旁已存在且未被修改的檔案。',
    'help_retry_job': '工作的編號，如指令 jobs 所列。',
    'help_export': (
        '將圖片寫成供其他程式使用的表格，每張圖片一列：url、caption、file、id、width、height、sha256、'
        'username、page、meta。連結：Civitai 目前的清單；資料夾：已儲存在其中的圖片，不會詢問任何人。'
    ),
    'help_export_examples': (
        '範例：\n\npython civitai_gallery.py export pictures --format csv --output '
        'pictures.csv\n\npython civitai_gallery.py export 4201 --with-prompt --output '
        '4201.jsonl\n\npython civitai_gallery.py export 4201 | head -3\n\n檔案完整後才會有名稱。'
        '結束代碼：0 完成，1 失敗或不完整（包括 `head` 停止讀取），2 用法錯誤，130 Ctrl-C，143 SIGTERM。'
    ),
    'help_export_source': 'download 接受的連結，或 download 儲存過的資料夾；若是這裡的資料夾，即視為資料夾。',
    'help_export_format_': (
        'jsonl、csv（試算表會當成公式的文字前面加上 \'）或 parquet（需要 pyarrow）。預設：依副檔名，沒有則為 jsonl。'
    ),
    'help_export_output': '檔案，所在資料夾必須存在；已存在的會被取代；若沒有符合的圖片則不寫入。預設：-，即標準輸出。',
    'help_export_limit': '最多幾張圖片。預設：全部。',
    'help_export_since': '在此時間或之後製作，ISO 8601，未註明時區為 UTC。',
    'help_export_until': '在此時間之前製作。',
    'help_export_level': (
        '圖片的最高分級：PG、PG-13、R、X 或 XXX。預設：連結依 gallery_maturity_ceiling，資料夾則全部。'
    ),
    'help_export_type_': '此類型：image、video 或 audio。預設：image。',
    'help_export_with_prompt': '只要 Civitai 或（已儲存時）檔案本身提供提示詞的圖片。',
    'help_export_base_model': '只要以此基礎模型製作的圖片，例如 SDXL 1.0。可重複指定。',
    'help_export_sort': (
        '僅限連結：Most Reactions、Most Comments、Most Collected、Newest 或 Oldest。'
    ),
    'help_export_period': '僅限連結：最近的 Day、Week、Month 或 Year。預設：AllTime。',
    'help_export_tag': '僅限連結：有此標籤，編號或名稱皆可。可重複指定：符合其一即可。',
    'help_export_as_json': (
        '最後輸出一個 JSON 物件；表格寫到標準輸出時，改寫到 stderr。執行時 stderr 每行輸出一個 JSON 事件。'
    ),
    'help_export_quiet': '只說明問題。',
    'help_import-table': (
        '依 img2dataset 寫下的表格，將它儲存的圖片匯入圖片紀錄。檔案留在原處，保持原樣。每個檔案都會與收到內容的 '
        'SHA-256 比對；之後 download 會直接使用而不重新下載，verify 也會檢查。'
    ),
    'help_import-table_examples': (
        '範例：\n\npython civitai_gallery.py import-table kept/*.parquet\n\npython '
        'civitai_gallery.py import-table kept --json\n\n結束代碼：0 表格中的圖片都已儲存，1 '
        '有失敗、遺失或拒絕，2 用法錯誤。'
    ),
    'help_import-table_given': 'img2dataset 的表格（00000.parquet），或含有這種表格的資料夾。',
    'help_import-table_as_json': '最後輸出一個 JSON 物件。',
    'help_import-table_quiet': '只說明問題。',
    'help_verify': '檢查資料夾及其下的每張圖片：已儲存的會完整讀取並與 SHA-256 比對，每張圖片都會開啟到最後一個像素。影片則從開頭檢查到結尾標記。',
    'help_verify_examples': (
        '範例：\n\npython civitai_gallery.py verify pictures\n\npython civitai_gallery.py verify '
        'pictures --repair'
    ),
    'help_verify_folder': '資料夾。',
    'help_verify_repair': '重新下載遺失、已變更或損壞的；原處的檔案另存為 NAME.odd-N。',
    'help_verify_as_json': '最後輸出一個 JSON 物件。',
    'help_login': '詢問您的 Civitai API 金鑰，確認 Civitai 認得它，並儲存在只有您能讀取的地方。金鑰不會顯示；也可以經由管線輸入。',
    'help_login_examples': '範例：python civitai_gallery.py login',
    'help_config': '顯示所有設定、其中一個，或設定其中一個。API 金鑰不在其中，也絕不顯示；請見 login。',
    'help_config_examples': (
        '範例：\n\npython civitai_gallery.py config\n\npython civitai_gallery.py config '
        'gallery_maturity_ceiling R'
    ),
    'help_config_name': '設定的名稱。預設：顯示全部。',
    'help_config_value': '新的值。',
    'help_cache': '說明圖片快取的位置與大小，或加以清除。',
    'help_cache_examples': '範例：python civitai_gallery.py cache --clear',
    'help_cache_clear': '移除目前不在畫面上的所有圖片。',
    'help_resume_concurrency': '同時下載數，1 到 64。預設：設定 gallery_max_concurrent_downloads。',
    'help_resume_as_json': '最後輸出一個 JSON 物件。執行期間 stderr 會得到事件，每行一個 JSON 物件。',
    'help_resume_quiet': '只說明問題。',
    'help_resume_verbose': '在 stderr 說明每次嘗試與等待。',
    'help_retry_concurrency': '同時下載數，1 到 64。預設：設定 gallery_max_concurrent_downloads。',
    'help_retry_as_json': '最後輸出一個 JSON 物件。執行期間 stderr 會得到事件，每行一個 JSON 物件。',
    'help_retry_quiet': '只說明問題。',
    'help_retry_verbose': '在 stderr 說明每次嘗試與等待。',
    'cli_hidden': (
        '已略過 {count} 張超過分級上限（{ceiling}）的圖片。--level 可在單次執行中提高上限，設定 '
        'gallery_maturity_ceiling 則永久提高。'
    ),
    'cli_up_to': '（最高至 {ceiling}；--level {more} 可取得更多）',
    'cli_more': '（--level {more} 可取得更多）',
    'cli_other_versions': '版本 {version} 沒有圖片，其他版本可能有：{links}',
    'cli_other_versions_up_to': (
        '版本 {version} 在 {ceiling} 以內沒有圖片（--level {more} 可取得更多），其他版本可能有：{links}'
    ),
    'cli_nothing': '在您的分級上限（{ceiling}）內找不到圖片。',
    'cli_stopped': (
        '已停止。{told}，位於 {folder}。' '執行 `resume {job}` 或再次執行相同指令即可繼續。'
    ),
    'cli_stopped_early': '在儲存任何檔案之前已停止。再次執行相同指令會重新開始。',
    'cli_once_more': '`resume {job}` 會再試一次，`jobs drop {job}` 則將它從清單移除。',
    'cli_go_on': '執行 `resume {job}` 即可從該處繼續。',
    'cli_retry_failed': '執行 `retry {job}` 會重試失敗的 {count} 張。',
    'cli_retry_gaps': '執行 `retry {job}` 會重新查詢未能列出的部分。',
    'cli_retry_both': '執行 `retry {job}` 會重試失敗的 {count} 張，並重新查詢未能列出的部分。',
    'setting_civitai_base_url': 'Civitai 網址',
    'setting_civitai_base_url_help': '向哪個網站查詢；API 金鑰只會傳送到該處。',
    'language_auto': '自動',
    'language_en': 'English（英文）',
    'language_zh_TW': '繁體中文',
    'setting_language': '語言（Language）',
    'setting_language_help': (
        '自動（auto）：與 WebUI 相同，其他情況為英文。應用程式立即改變；在 WebUI 中訊息立即改變，'
        '按鈕與標籤在 Reload UI 或重新啟動後改變。'
    ),
    'setting_gallery_maturity_ceiling': '分級上限',
    'setting_gallery_maturity_ceiling_help': '可顯示圖片的最高分級，從下一頁起生效。',
    'setting_gallery_columns': '欄數',
    'setting_gallery_columns_help': (
        '每列大約的圖片數，因為圖片會保持各自的比例；從下一頁起生效。欄數乘以列數即為每頁的圖片數。'
    ),
    'setting_gallery_rows': '列數',
    'setting_gallery_rows_help': '每頁圖片列數，從下次載入起生效。',
    'setting_gallery_endless': '載入更多，而非換頁',
    'setting_gallery_endless_help': '下一頁會接在現有圖片之後，最多 600 張。',
    'setting_gallery_max_concurrent_downloads': '同時下載數',
    'setting_gallery_max_concurrent_downloads_help': '同時下載的圖片數。',
    'setting_gallery_download_batch_size': '批次大小',
    'setting_gallery_download_batch_size_help': '分批下載時每批的圖片數。',
    'setting_gallery_download_timeout': '圖片逾時（秒）',
    'setting_gallery_download_timeout_help': '多少秒沒有收到資料後重試圖片。',
    'setting_model_download_segments': '單一模型檔案的連線數',
    'setting_model_download_segments_help': '超過 64 MiB 的檔案會同時分成這麼多部分下載（若儲存空間支援）。',
    'setting_model_download_rate': '模型檔案每秒最多 MiB',
    'setting_model_download_rate_help': '所有模型檔案合計不超過此速度；0 表示不限。',
    'setting_model_file_format': '模型檔案的偏好格式',
    'setting_model_file_format_help': '版本有多個主要檔案時，優先選擇此格式（若有）。',
    'setting_model_file_size': '模型檔案的偏好大小',
    'setting_model_file_size_help': 'pruned：較小，足以產生圖片；full：亦可用於訓練；留空：依網站而定。',
    'setting_model_file_precision': '模型檔案的偏好精度',
    'setting_model_file_precision_help': '例如 fp16；留空：依網站而定。',
    'setting_download_timeout': '模型檔案逾時（秒）',
    'setting_download_timeout_help': '多少秒沒有收到資料後重試模型檔案的該部分。',
    'setting_download_max_retries': '模型檔案重試次數',
    'setting_download_max_retries_help': '模型檔案連續失敗且毫無進展時的重試次數。',
    'setting_download_retry_delay': '模型檔案重試間隔（秒）',
    'setting_download_retry_delay_help': '第一次重試前的等待時間，之後每次加倍。',
    'setting_http_timeout': 'API 逾時（秒）',
    'setting_http_timeout_help': '等待 API 回應的秒數。',
    'setting_http_max_retries': '重試次數',
    'setting_http_max_retries_help': '發生暫時性失敗後的重試次數。',
    'setting_http_retry_delay': '重試間隔（秒）',
    'setting_http_retry_delay_help': '第一次重試前的等待時間，之後每次加倍。',
    'setting_http_proxy': '代理伺服器',
    'setting_http_proxy_help': '代理伺服器位址（http、https、socks5、socks5h）；留空則使用環境變數。',
    'setting_http_ca_bundle': '自有憑證',
    'setting_http_ca_bundle_help': '除一般憑證外另外信任的憑證 PEM 檔案，例如公司代理伺服器的憑證。',
    'setting_extra_hosts': '其他信任的主機',
    'setting_extra_hosts_help': '除 Civitai 外允許下載的主機名稱，以逗號分隔。',
    'setting_download_images_folder': '下載資料夾',
    'setting_download_images_folder_help': '下載位置；留空則使用圖片資料夾。',
    'setting_shortcut_gallery_folder': '圖片快取資料夾',
    'setting_shortcut_gallery_folder_help': '已顯示圖片的儲存位置：新的或空的專用資料夾。',
    'setting_shortcut_gallery_max_mib': '圖片快取上限（MiB）',
    'setting_shortcut_gallery_max_mib_help': (
        '圖片快取的大小上限；最久沒有顯示的圖片會先移除。資料夾成為圖片快取之前就有的圖片會保留，也不計入。'
    ),
    'setting_gallery_name_template': '儲存圖片的檔名',
    'setting_gallery_name_template_help': (
        '整個圖庫的圖片依此樣式命名，例如 {{username}}/{{created:%Y-%m}}/{{id}}；/ 會建立資料夾。'
    ),
    'setting_gallery_embed_infotext': '將提示詞寫入圖片',
    'setting_gallery_embed_infotext_help': (
        '下載時將 Civitai 提供的提示詞與設定寫入圖片檔（PNG、JPEG、WebP），格式與 WebUI 相同；像素完全不變。'
    ),
    'setting_gallery_sidecars': '圖片旁的檔案',
    'setting_gallery_sidecars_help': (
        'json（Civitai 提供的全部資料）、txt（提示詞與設定）、caption（供訓練用的提示詞），可用逗號並列，或 none。'
        '留空：只在檔案無法存放提示詞時寫入。'
    ),
    'setting_gallery_jobs_go_on': '繼續中斷的圖庫',
    'setting_gallery_jobs_go_on_help': '程式結束時尚未儲存完成的圖庫，會在程式啟動時自動繼續。',
    'setting_models_folder': '模型資料夾',
    'setting_models_folder_help': (
        'WebUI 或 ComfyUI 的 models 資料夾，新的模型檔案會依該程式的慣例分類存放；'
        '留空則使用下載資料夾中的 models。在 WebUI 內以其自身的資料夾為準。'
    ),
    'setting_model_folder_template': '模型的子資料夾',
    'setting_model_folder_template_help': (
        '樣式，例如 {{base_model}}/{{creator}}；也可用 {{model}}、{{version}} 與 {{kind}}。'
        '留空則不分子資料夾。'
    ),
    'setting_model_info_file': '寫入 .civitai.info 檔案',
    'setting_model_info_file_help': '將 Civitai 對模型的說明存在檔案旁，供其他工具讀取。',
    'setting_model_preview_file': '儲存模型預覽圖',
    'setting_model_preview_file_help': '在檔案旁存放一張不超過分級上限的靜態圖片。',
    'setting_model_json_file': '填寫模型卡片',
    'setting_model_json_file_help': (
        '在檔案旁的 .json 中為 AUTOMATIC1111 與 Forge 的卡片寫入說明與觸發詞。'
        '您自己寫的內容會保留。'
    ),
    'setting_gallery_jobs_of_others': '他人可以儲存整個圖庫',
    'setting_gallery_jobs_of_others_help': (
        '從其他電腦或帳號開啟圖庫的人，也可以開始、暫停及取消整個圖庫的下載，並瀏覽已儲存的圖庫；資料夾與檔名仍由您決定。'
    ),
    'job_at_work': '工作 {job} 正在進行，請先暫停。',
    'job_browse': '瀏覽',
    'saved_mark': '已儲存的圖庫，由這台電腦顯示；{count} 張圖片，儲存於 {day}。',
    'saved_instead': '{why} 改為顯示：{mark}',
    'saved_keeps': (
        '此圖庫由這台電腦顯示，因此沒有可下載的內容。若要從 Civitai 尋找更多圖片，請在上方載入其連結。'
    ),
    'saved_nothing': '儲存過的圖片都已不在原處。',
    'saved_missing_some': '儲存後被移動、變更或刪除，或不在工作資料夾內的圖片：{count}。',
    'saved_missing': '此圖片的檔案在儲存後被移動、變更或刪除，或不得顯示。請重試該工作以重新下載。',
    'saved_not_from_here': (
        '已儲存的圖庫只在執行圖庫的電腦上，顯示給執行它的帳號。擁有者可以用設定 gallery_jobs_of_others 允許他人。'
    ),
    'jobs_not_from_here': (
        '整個圖庫只能在執行圖庫的電腦上，由執行它的帳號儲存。擁有者可以用設定 gallery_jobs_of_others 允許他人。'
    ),
    'job_place_not_from_here': '資料夾與檔名只能在執行圖庫的電腦上，由執行它的帳號選擇。',
    'notice_asked_to_wait': '{host} 要求我們稍候（{status}）。{seconds} 秒後繼續，已取得的內容會保留。',
    'notice_refuses': '{host} 拒絕所有要求（{status}）。若持續如此，{seconds} 秒後放棄，已取得的內容會保留。',
    'notice_slow': '{host} 回應緩慢，{seconds} 秒內未收到的內容將放棄。',
    'notice_archive_rebuilt': '圖片紀錄已損壞，並已從資料夾重新建立：找到 {count} 張圖片。工作的進度已遺失。',
    'notice_waiting': '{host} 的回應不正常，{seconds} 秒後再試一次。',
    'embed_no_kind': '無法存放提示詞的檔案：{count} 個。',
    'embed_no_room': '提示詞太長、放不進圖片：{count} 張。',
    'embed_occupied': '存放提示詞的位置已有其他註解並予以保留：{count} 張。',
    'embed_unsafe': '已損壞、帶有簽章或結構特殊，因此沒有寫入的圖片：{count} 張。',
    'annotation_beside': '提示詞改存於圖片旁的文字檔：{count} 張。',
    'annotation_nowhere': (
        '提示詞既不在圖片中、也不在旁邊的文字檔中：{count} 張。'
        '若需要，請在圖片旁的檔案（--sidecar）加入 txt。'
    ),
    'annotation_refused': (
        '磁碟或資料夾拒絕寫入的提示詞（圖片內或旁邊的檔案）：{count} 個。原因請見記錄檔。'
    ),
    'annotation_foreign': '圖片旁不是由本程式寫入、或已被修改而保持原樣的檔案：{count} 個。',
    'models_unknown': 'Civitai 無法提供名稱的模型：{count} 個。提示詞中缺少其名稱與雜湊值。',
    'sidecar_none_alone': 'none 表示圖片旁不放檔案；請去掉其他項目或 none。',
    'sidecar_unknown': '圖片旁沒有 {given} 這種檔案。可用：{known}, none。',
    'model_source': '{given} 不是模型。請提供模型或版本的連結、模型編號、AIR，或檔案的雜湊值；圖片使用了哪些模型，可用 `models missing` 查看。',
    'model_elsewhere': '版本 {version} 屬於模型 {owner}，而非 {model}。請改用此連結：{link}',
    'model_hash_unknown': 'Civitai 沒有雜湊值為 {hash} 的檔案。請確認它是否完整，或改用連結。',
    'model_without_versions': 'Civitai 未列出此模型的任何版本。請選擇其他模型。',
    'place_named': '{folder}，您所指定的資料夾',
    'cli_model_goes': '{title}：{name}（{mib} MiB）將存放於 {where}',
    'cli_model_planned': '{title}：{name}（{mib} MiB）會存放於 {where}。未儲存任何檔案。',
    'cli_model_saved': '{title}：已儲存為 {path}，{mib} MiB。{checked}',
    'cli_model_there': '{title}：已存在於 {path}，{mib} MiB；未下載任何內容。{checked}',
    'cli_model_verified': '其 SHA256 與 Civitai 所列相同。',
    'cli_model_is_here': '此處已有：{path}。',
    'cli_model_name_taken': '已有名為 {name} 的檔案：它會保留，並在下載前先行比對。',
    'cli_model_stopped': '已停止。已有 {mib} MiB，共 {of} MiB。執行 `resume {job}` 或再次執行相同指令即可繼續。',
    'cli_model_job': '{job}  {state}  {title}  {at}  {mib} MiB，共 {of} MiB  {path}  {why}',
    'cli_moved_fetching': '{mib} MiB，共 {of} MiB',
    'cli_moved_looking': '已查看 {done} 個檔案',
    'cli_moved_hashing': '已讀取 {done} 個檔案，共 {total} 個；{mib} MiB，共 {of} MiB',
    'cli_moved_asking': '已向 Civitai 查詢 {done} 個，共 {total} 個',
    'cli_pace': '（{rate} MiB/s），剩餘 {left}',
    'help_model': (
        '下載 Civitai 的模型檔案：完整、經過檢查，放到您的程式讀取該類模型的資料夾，並附上它們會讀取的檔案。會先說明存放位置；既有檔案絕不取代。再次執行相同指令或 `resume`'
        '，會從停止處繼續。'
    ),
    'help_model_examples': (
        '範例：\n\npython civitai_gallery.py model https://civitai.com/models/4201\n\npython '
        'civitai_gallery.py model 4201 --dry-run\n\npython civitai_gallery.py model '
        'urn:air:sdxl:lora:civitai:4317@431703 --to loras\n\npython civitai_gallery.py model 4201 '
        '--file 4201022 --segments 8 --no-companions\n\n未指定版本時，取其頁面最先顯示的版本。結束代碼：0 檔案已在，1 失敗或不完整，2 用'
        '法錯誤，130 Ctrl-C，143 SIGTERM。'
    ),
    'help_model_source': '模型、版本或下載的連結，模型編號，AIR，或檔案的雜湊值（SHA256、AutoV1、AutoV2、AutoV3、CRC32、BLAKE3）。',
    'help_model_file': (
        '此版本的這個檔案，以編號或名稱指定。預設：依設定 model_file_format、model_file_size 與 model_file_precision 的偏好。'
    ),
    'help_model_format_': '僅限此格式的檔案：SafeTensor、PickleTensor、GGUF、Diffusers、Core ML、ONNX 或 Other。',
    'help_model_allow_suspect': '即使未通過 Civitai 的病毒或程式碼掃描也下載。僅在您信任作者時使用。',
    'help_model_to': '存放檔案的資料夾。預設：WebUI 或設定 models_folder 中該類模型的資料夾，否則為下載資料夾中的資料夾。',
    'help_model_segments': '大型檔案同時使用的連線數，1 至 16。預設：設定 model_download_segments。',
    'help_model_companions': '在檔案旁寫入其他工具會讀取的檔案：.civitai.info、.json 與預覽圖。預設：依設定。',
    'help_model_as_json': '最後輸出一個 JSON 物件。執行時 stderr 會有事件，每行一個 JSON 物件。',
    'help_model_quiet': '只說明問題。',
    'help_model_verbose': '說明每次嘗試。',
    'help_model_dry_run': '說明是哪個檔案、會存放於何處。不下載任何內容。',
    'cli_stopped_at': '目前進度：{far}。',
    'cli_models_stopped': '已停止。已找到的內容會保留；再次執行相同指令即可繼續。',
    'cli_models_none': '尚未得知此處有任何模型檔案。可用 `models scan` 掃描。',
    'cli_models_alone': '`models {word}` 不接受圖片或 --get；`models missing` 才接受',
    'cli_models_twins': '內容相同的檔案，每個 {mib} MiB：{paths}',
    'cli_models_verified': (
        '與 Civitai 所列相同 {good}，完整但無從比對 {whole}，完整但不在 Civitai 目前所列之中 '
        '{other}，內容受損 {spoiled}，損壞 {broken}，無法讀取 {unreadable}。'
    ),
    'cli_model_unknown': '版本不明',
    'cli_model_other': '{path} 完整，但不在 Civitai 目前為其版本所列的檔案之中。',
    'cli_model_spoiled': '{path} 的內容與先前不同，但沒有人寫入過。請刪除後重新下載，並檢查磁碟。',
    'cli_model_broken': '{path} 的檔頭損壞，與其檔名不符。請刪除後重新下載。',
    'cli_model_unreadable': '無法讀取 {path}。',
    'cli_model_missing': '{path} 已不存在，或其磁碟未連接。若位於掃描的資料夾中，`models scan` 會將它從清單移除。',
    'cli_scan_begins': '正在掃描 {folders}。只會向 Civitai 傳送雜湊值與版本編號。',
    'cli_scan_no_folders': '此處尚無模型資料夾。可用設定 models_folder 指定。',
    'cli_scan_unreadable': '無法查看 {folder}。',
    'cli_scan_unasked': '未能向 Civitai 查詢，或未查詢完畢：{cause} 請稍後再掃描；已讀取的內容會保留。',
    'cli_scanned': (
        '{files} 個模型檔案：新增或變更 {fresh}，消失 {gone}，已讀取 {hashed}，本次由 Civitai 辨識 '
        '{newly}。已知版本的有 {known} 個。'
    ),
    'cli_updates': '{files} 個檔案中有 {count} 個有變動：',
    'cli_updates_old': '未能向 Civitai 查詢全部內容，以下可能是舊資訊：{cause}',
    'cli_updates_unknown': '有 {count} 個檔案的版本不明。`models scan` 會查詢。',
    'cli_update_gone': 'Civitai 已沒有此模型。請保留檔案。',
    'cli_update_withdrawn': 'Civitai 已沒有此版本。',
    'cli_update_changed': 'Civitai 所列的是此版本的其他檔案：網站的檔案或此檔案已變更。',
    'cli_update_newer': '較新：{name}（{base}），{day}：`model civitai:{model}@{id}`',
    'cli_update_other': '適用其他基礎模型：{name}（{base}），{day}：`model civitai:{model}@{id}`',
    'cli_update_early': '搶先體驗至 {until}。',
    'cli_update_not_offered': '不提供下載。',
    'resource_checkpoint': 'Checkpoint 模型',
    'resource_lora': 'LoRA 模型',
    'resource_embedding': 'Embedding 模型',
    'resource_vae': 'VAE 模型',
    'resource_upscaler': '放大模型',
    'resource_other': '其他模型',
    'cli_need_here': '{kind} {name}：已有，{paths}',
    'cli_need_maybe': '{kind} {name}：可能已有；有同名檔案：{paths}',
    'cli_need_not_here': '{kind} {name}：沒有',
    'cli_need_unknown': '{kind} {name}：不確定是否已有；可用 `models scan` 掃描',
    'cli_missing_nothing': '沒有資訊說明此圖片使用了哪些模型。',
    'cli_missing_source': '{given} 既不是 Civitai 的圖片，也不是此處的檔案。請提供圖片的連結或編號，或圖片檔案。',
    'cli_missing_no_json': '{name} 不是說明圖片如何製作的 JSON。',
    'help_models': (
        '說明此處的模型檔案。scan：在 WebUI 或設定的資料夾中尋找，並以雜湊值向 Civitai 查詢是哪些模'
        '型。list：列出找到的檔案及其圖庫。updates：哪些有新版本、已變更或已消失。verify：重新讀取'
        '全部檔案。missing：圖片需要哪些模型，其中哪些此處沒有。'
    ),
    'help_models_examples': (
        '範例：\n\npython civitai_gallery.py models scan\n\npython civitai_gallery.py models '
        'updates --json\n\npython civitai_gallery.py models missing https://civitai.com/images/123 '
        '--get\n\npython civitai_gallery.py models missing picture.png\n\n只會傳送雜湊值與編號。結束'
        '代碼：0 一切正常，1 有失敗、受損或缺少，2 用法錯誤，130 Ctrl-C，143 SIGTERM。'
    ),
    'help_models_what': '要做什麼。',
    'help_models_picture': '用於 missing：圖片的連結或編號、圖片檔案，或其旁的 .json 或 .txt。',
    'help_models_get': '用於 missing：下載此處沒有、且已知版本或雜湊值的模型。',
    'help_models_as_json': '最後輸出一個 JSON 物件。執行時 stderr 會有事件，每行一個 JSON 物件。',
    'help_models_quiet': '只說明問題。',
    'models_title': '這台電腦上的模型',
    'models_is_here': '已有',
    'models_is_maybe': '可能已有：有同名檔案',
    'models_is_not_here': '沒有',
    'models_is_unknown': '未知',
    'models_unknown_hint': '尚不知道是否已有標示為「未知」的模型：按「這台電腦上的模型」中的「掃描」即可得知。',
    'models_get': '取得',
    'models_asking': '正在向 Civitai 查詢此模型…',
    'models_ask': '要取得 {title} 嗎？',
    'models_ask_file': '檔案',
    'models_ask_kind': '類型',
    'models_ask_size': '大小',
    'models_ask_size_unknown': '未提供',
    'models_ask_folder': '資料夾',
    'models_ask_suspect': '此檔案未通過 Civitai 的掃描（病毒：{virus}，pickle：{pickle}）。只有在信任其作者時才取得。',
    'models_ask_unverified': 'Civitai 未列出此檔案的 SHA256，因此無法檢查內容是否正確。',
    'models_ask_taken': '已有同名檔案。若就是此檔案則不會下載，否則新檔案會加上編號。',
    'models_take_anyway': '仍要取得',
    'models_drop': '取消',
    'models_asked_other': '其間已查詢了另一個模型。請再按一次「取得」。',
    'models_no_order': '頁面要求了此圖庫不認得的動作。請重新載入頁面。',
    'models_not_from_here': '只能在執行圖庫的電腦上，由執行它的帳號取得、掃描與列出模型。',
    'models_untold': '此系統不透露是哪個帳號在操作，因此只能在命令列取得與掃描模型：`model` 與 `models scan`。',
    'models_scan': '掃描',
    'models_stop': '停止',
    'models_scan_told': (
        '掃描會在這台電腦上讀取模型資料夾中的模型檔案，再以其雜湊值與找到的模型編號向 Civitai 查詢是哪些模型、哪些有更新。除此之外沒有任何資料離開這台電腦：不傳送名稱、資料'
        '夾或檔案。'
    ),
    'models_looking': '正在尋找模型檔案：{done}',
    'models_hashing': '正在讀取模型檔案：{done}/{total}',
    'models_stopped': '已停止。找到的結果會保留，按「掃描」即可接著進行。',
    'models_scanned': '{files} 個模型檔案：{fresh} 個新增或變更、{gone} 個消失、讀取了 {hashed} 個。',
    'models_scanned_none': '沒有找到模型檔案。',
    'models_looked_in': '已查看：',
    'models_no_folders': '此處尚無模型資料夾。',
    'models_folder_of_setting': '可在設定中以「{name}」（models_folder）指定要查看的資料夾。',
    'models_folders_of_host': '模型位於哪些資料夾由您的 WebUI 的選項決定。',
    'models_unreadable': '無法讀取 {folder}，其中的內容以上次找到的為準。',
    'models_unasked': '向 Civitai 的查詢未完成：{cause}',
    'models_none': '此處沒有已知的模型檔案。按「掃描」會在您的 WebUI 或設定 models_folder 的資料夾中尋找。',
    'models_reading': '正在讀取找到的結果…',
    'models_search': '搜尋',
    'models_kind': '類型',
    'models_base': '基礎模型',
    'models_any': '不限',
    'models_count': '{files} 個模型檔案中的 {listed} 個',
    'models_more': '更多',
    'models_left': '還有 {count} 個',
    'models_newer': '較新：{name}（{day}）',
    'models_other_base': '適用 {base}：{name}（{day}）',
    'models_early': '（搶先體驗）',
    'models_not_offered': '（不提供下載）',
    'models_gone': 'Civitai 已沒有此模型',
    'models_withdrawn': 'Civitai 已沒有此版本',
    'models_changed': 'Civitai 所列的是此版本的其他檔案',
    'models_twin': '同一檔案有多份',
    'models_of_nothing': 'Civitai 不認得',
    'home': '從這裡開始',
    'home_favourites': '最愛的圖庫',
    'home_pictures': '最愛的圖片',
    'home_pictures_show': '顯示',
    'home_recent': '最近開啟',
    'home_drop': '從清單移除',
    'home_models': '這台電腦上的模型',
    'home_examples': '範例',
    'favourite': '最愛',
    'favourite_add': '加入此瀏覽器的最愛',
    'favourite_drop': '從此瀏覽器的最愛移除',
    'found_title': '「{words}」的模型',
    'found_name': '搜尋：{words}',
    'found_close': '關閉',
    'found_of_before': '仍顯示先前找到的模型：您最後要求的內容無法載入。',
    'found_more': '更多',
    'found_no_picture': '沒有可顯示的圖片',
    'found_count': '{count} 個模型，點選即可開啟其圖庫。',
    'found_count_one': '1 個模型，點選即可開啟其圖庫。',
    'found_none': 'Civitai 找不到符合「{words}」的模型。',
    'found_hint': '請減少文字，或輸入模型頁面上的名稱：搜尋的是模型名稱，多為英文。貼上連結、編號、雜湊值或 @使用者，即可直接開啟圖庫。',
    'found_hidden': '{count} 個超出您的分級上限（{ceiling}），未顯示。',
    'found_unreadable': '{count} 個無法讀取。',
    'card_open': '在 Civitai Gallery 中開啟其圖庫',
    'card_unknown': '尚不知道「{name}」是 Civitai 上的哪個模型。請開啟下方的「這台電腦上的模型」並按「掃描」。',
    'card_not_known': 'Civitai 不認得「{name}」，因此沒有它的圖庫。',
    'open_gallery': '在此開啟其圖庫',
    'model_job_begun': '工作 {job} 已開始，進度顯示於工作清單。',
    'model_job_far': '已下載 {done}/{size} MiB',
    'model_job_verified': 'SHA256 正確',
    'model_job_retry': '重試',
    'model_job_cancel_note': '就此結束，並移除已下載的部分。',
    'model_job_is_cancelled': '工作 {job} 已取消，已下載的部分已移除；按「繼續」會重新下載。',
    'models_asking_progress': '正在向 Civitai 查詢：{done}/{total}',
}
