# A reader for the YAML that seeds are made of: mappings, lists, plain and quoted scalars, [flow, lists], {flow: maps},
# block scalars. No anchors, no multi-line plain scalars. Shell built-ins only: a process costs 10 ms under TCG.
# yaml_each FILE FUNCTION calls FUNCTION PATH VALUE for each scalar; PATH is keys and list numbers joined by dots.
nl='
'
y_cr=$(printf '\r')

y_trim() { y_v=${1#"${1%%[! 	]*}"}; y_v=${y_v%"${y_v##*[! 	]}"}; }

# y_v = the value of one scalar, without quotes and comment
y_scalar() {
    y_trim "$1"
    case $y_v in
    \"*)
        y_r=${y_v#\"} y_v=
        while :; do
            y_head=${y_r%%[\"\\]*}
            [ "$y_head" = "$y_r" ] && { y_v=$y_v$y_r; break; }
            y_v=$y_v$y_head y_r=${y_r#"$y_head"}
            case $y_r in
            \\n*) y_v=$y_v$nl y_r=${y_r#??} ;;
            \\t*) y_v="$y_v	" y_r=${y_r#??} ;;
            \\?*) y_r=${y_r#?} y_head=${y_r%"${y_r#?}"} y_v=$y_v$y_head y_r=${y_r#?} ;;
            *) break ;;
            esac
        done ;;
    \'*)
        y_r=${y_v#\'} y_v=
        while :; do
            case $y_r in *\'*) ;; *) y_v=$y_v$y_r; break ;; esac
            y_v=$y_v${y_r%%\'*} y_r=${y_r#*\'}
            case $y_r in \'*) y_v="$y_v'" y_r=${y_r#?} ;; *) break ;; esac
        done ;;
    \#*) y_v= ;;
    *) y_v=${y_v%%[ 	]#*}; y_trim "$y_v" ;;
    esac
}

# y_key/y_val = key and value of "key: value"; fails if the text is not that
y_split() {
    case $1 in
    \"*\":*|\'*\':*) y_q=${1%"${1#?}"} y_key=${1#?}; y_val=${y_key#*"$y_q"} y_key=${y_key%%"$y_q"*}; y_val=${y_val#:} ;;
    *:*) y_key=${1%%:*} y_val=${1#*:} ;;
    *) return 1 ;;
    esac
    case $y_key in ''|*[!A-Za-z0-9_-]*) return 1 ;; esac
    case $y_val in ''|[\ \	]*) return 0 ;; esac
    return 1
}

y_push() { y_d=$((y_d + 1)); eval "y_i$y_d=\$1 y_p$y_d=\$2 y_l$y_d=\$3"; }
y_top() { eval "y_ti=\$y_i$y_d y_tp=\$y_p$y_d y_tl=\$y_l$y_d"; }

# y_value PATH TEXT INDENT
y_value() {
    y_trim "$2"
    case $y_v in
    '') ;;
    '|'*|'>'*) y_bpath=$1 y_bind=$3 y_block= y_bstrip= ;;
    '['*)
        y_rest=${y_v#?} y_rest=${y_rest%]*},
        while [ -n "$y_rest" ]; do
            y_scalar "${y_rest%%,*}"; y_rest=${y_rest#*,} y_n=$((y_n + 1))
            [ -n "$y_v" ] && "$y_fn" "$1.$y_n" "$y_v"
        done ;;
    '{'*)
        y_rest=${y_v#?} y_rest=${y_rest%\}*},
        while [ -n "$y_rest" ]; do
            y_trim "${y_rest%%,*}"; y_rest=${y_rest#*,}
            y_split "$y_v" && { y_scalar "$y_val"; "$y_fn" "$1.$y_key" "$y_v"; }
        done ;;
    *) y_scalar "$y_v"; "$y_fn" "$1" "$y_v" ;;
    esac
    return 0
}
y_flush() { [ -n "$y_bpath" ] && "$y_fn" "$y_bpath" "${y_block%"$nl"}"; y_bpath=; }

yaml_each() {
    y_fn=$2 y_d=0 y_n=0 y_bpath='' y_i0=-1 y_p0='' y_l0=''
    while IFS= read -r y_line || [ -n "$y_line" ]; do
        y_line=${y_line%"$y_cr"}
        y_text=${y_line#"${y_line%%[! ]*}"}
        y_ind=$((${#y_line} - ${#y_text}))
        if [ -n "$y_bpath" ]; then
            if [ -z "$y_text" ]; then y_block=$y_block$nl; continue; fi
            if [ $y_ind -gt $y_bind ]; then
                [ -n "$y_bstrip" ] || y_bstrip=${y_line%"$y_text"}
                y_block=$y_block${y_line#"$y_bstrip"}$nl
                continue
            fi
            y_flush
        fi
        case $y_text in ''|'#'*|'---'*|...) continue ;; esac
        while :; do
            case $y_text in '- '*|-) ;; *) break ;; esac
            while y_top; [ $y_ti -gt $y_ind ] || { [ $y_ti -eq $y_ind ] && [ -n "$y_tl" ]; }; do y_d=$((y_d - 1)); done
            y_n=$((y_n + 1))
            y_push $y_ind "$y_tp.$y_n" item
            y_after=${y_text#-}
            y_text=${y_after#"${y_after%%[! ]*}"}
            y_ind=$((y_ind + 1 + ${#y_after} - ${#y_text}))
        done
        if y_split "$y_text"; then
            while y_top; [ $y_ti -ge $y_ind ]; do y_d=$((y_d - 1)); done
            y_path=${y_tp:+$y_tp.}$y_key
            y_push $y_ind "$y_path" ''
            y_value "$y_path" "$y_val" $y_ind
        else
            y_top
            [ -n "$y_tl" ] && y_value "$y_tp" "$y_text" $y_ti
        fi
    done <"$1"
    y_flush
    return 0
}
