#!/bin/sh
# A Maelstrom node in POSIX shell alone: node.sh echo | unique-ids | broadcast | g-set | g-counter | lin-kv
# Values are numbers, or texts without commas and braces. After init nothing is forked: a message costs some string operations.
workload=$1 me= all= set= count=0 next=0 turn=0

field() { # field NAME: the scalar of that name in $line, into $value
  value=${line#*\"$1\":}
  value=${value%%[,\}]*}
}

say() { # say DEST BODY
  printf '{"src":"%s","dest":"%s","body":{%s}}\n' "$me" "$1" "$2"
}

answer() { # answer BODY: to the request in $line
  field msg_id
  say "$src" "$1,\"in_reply_to\":$value"
}

everybody() { # everybody BODY: to all other nodes
  for node in $all; do
    [ "$node" = "$me" ] || say "$node" "$1"
  done
}

learn() { # learn ELEMENT: true if it is new
  case " $set " in *" $1 "*) return 1 ;; esac
  set="$set $1"
}

listed() { # the set as a JSON list, into $list
  list=
  for element in $set; do list="$list,$element"; done
  list="[${list#,}]"
}

share() { # the whole set to one other node, each in its turn: what a broken link lost is made good so
  listed
  set -- $all
  turn=$(((turn + 1) % $#))
  shift "$turn"
  [ "$1" = "$me" ] || say "$1" "\"type\":\"share\",\"set\":$list"
}

counters() { # each node's own sum, as shell variables sum_n1 ...: what they make together, into $total
  total=0
  for node in $all; do eval "total=\$((total + \${sum_$node:-0}))"; done
}

while IFS= read -r line; do
  src=${line#*\"src\":\"}
  src=${src%%\"*}
  body=${line#*\"body\":}
  type=${body#*\"type\":\"}
  type=${type%%\"*}
  case $workload:$type in
    *:init)
      me=${line#*\"node_id\":\"}
      me=${me%%\"*}
      all=${line#*\"node_ids\":[}
      all=${all%%]*}
      all=$(echo "$all" | tr -d '" ' | tr ',' ' ')
      answer '"type":"init_ok"'
      ;;
    echo:echo) field echo; answer "\"type\":\"echo_ok\",\"echo\":$value" ;;
    unique-ids:generate)
      next=$((next + 1))
      answer "\"type\":\"generate_ok\",\"id\":\"$me-$next\""
      ;;
    broadcast:topology) answer '"type":"topology_ok"' ;;
    broadcast:broadcast | g-set:add)
      if [ "$type" = add ]; then field element; else field message; fi
      learn "$value" && everybody "\"type\":\"learn\",\"element\":$value"
      answer "\"type\":\"${type}_ok\""
      ;;
    *:learn) field element; learn "$value" ;;
    *:share)
      theirs=${line#*\"set\":[}
      old=$IFS IFS=,
      set -- ${theirs%%]*}
      IFS=$old
      for element in "$@"; do learn "$element"; done
      ;;
    broadcast:read | g-set:read)
      listed
      if [ "$workload" = g-set ]; then name=value; else name=messages; fi
      answer "\"type\":\"read_ok\",\"$name\":$list"
      share
      ;;
    g-counter:add)
      field delta
      count=$((count + value))
      eval "sum_$me=$count"
      everybody "\"type\":\"sum\",\"of\":$count"
      answer '"type":"add_ok"'
      ;;
    *:sum) field of; eval "[ \"\${sum_$src:-0}\" -gt $value ] || sum_$src=$value" ;;
    g-counter:read)
      counters
      answer "\"type\":\"read_ok\",\"value\":$total"
      everybody "\"type\":\"sum\",\"of\":$count" # again: the last one may have been lost
      ;;
    lin-kv:read | lin-kv:write | lin-kv:cas) # the service does the work; its answer finds back by the number
      field msg_id
      next=$((next + 1))
      eval "asked_by_$next=$src asked_as_$next=$value"
      request=${body%\}}
      request=${request%%\"msg_id\":*}\"msg_id\":$next${request#*\"msg_id\":"$value"}
      printf '{"src":"%s","dest":"lin-kv","body":%s}\n' "$me" "$request"
      ;;
    lin-kv:*_ok | lin-kv:error)
      field in_reply_to
      eval "src=\$asked_by_$value id=\$asked_as_$value; unset asked_by_$value asked_as_$value"
      reply=${body%\}}
      reply=${reply%%\"in_reply_to\":*}\"in_reply_to\":$id${reply#*\"in_reply_to\":"$value"}
      printf '{"src":"%s","dest":"%s","body":%s}\n' "$me" "$src" "$reply"
      ;;
    *)
      case $line in
        *'"msg_id":'*) answer "\"type\":\"error\",\"code\":10,\"text\":\"$workload knows no $type\"" ;;
        *) echo "what is $line?" >&2 ;;
      esac
      ;;
  esac
done
